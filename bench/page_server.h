/* page_server.h: a server that answers every request with one small page and closes; what benches ask. */
#ifndef BENCH_PAGE_SERVER_H
#define BENCH_PAGE_SERVER_H

#include <stdint.h>
#include <sys/types.h>

/* Fork a server on every IPv4 address of this machine.  Returns its pid, or a negative errno.  Kill it. */
pid_t page_server_start(uint16_t *ret_port);

#endif
