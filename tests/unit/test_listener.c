/* test_listener.c: who listens where on this machine. */
#define _GNU_SOURCE
#include "fleet/local/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cmocka.h>

/* A socket that listens at a free port of `host`; the address in *ret_address. */
static int start_listening(const char *host, int backlog, struct sockaddr_storage *ret_address)
{
	socklen_t length = sizeof *ret_address;
	int on = 1;
	int fd;

	assert_int_equal(listener_address(host, 0, ret_address), 0);
	fd = socket(ret_address->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	/* As HAProxy does. */
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)ret_address,
			      ret_address->ss_family == AF_INET ? sizeof(struct sockaddr_in)
								: sizeof(struct sockaddr_in6)),
			 0);
	assert_int_equal(listen(fd, backlog), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)ret_address, &length), 0);
	return fd;
}

static void numeric_addresses_alone(void **state)
{
	static const char *const bad[] = { "",      "localhost", "127.0.0",   "127.0.0.1.1",
					   "[::1]", "::1%lo",    "256.0.0.1", " 127.0.0.1" };
	struct sockaddr_storage address;
	size_t i;

	(void)state;
	assert_int_equal(listener_address("127.0.1.9", 8090, &address), 0);
	assert_int_equal(address.ss_family, AF_INET);
	assert_int_equal(ntohs(((struct sockaddr_in *)&address)->sin_port), 8090);
	assert_int_equal(ntohl(((struct sockaddr_in *)&address)->sin_addr.s_addr), 0x7f000109);
	assert_int_equal(listener_address("::1", 443, &address), 0);
	assert_int_equal(address.ss_family, AF_INET6);
	assert_int_equal(ntohs(((struct sockaddr_in6 *)&address)->sin6_port), 443);
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_int_equal(listener_address(bad[i], 1, &address), -EINVAL);
	assert_int_equal(address.ss_family, AF_INET6);
}

static void what_is_free(void **state)
{
	struct sockaddr_storage address;
	struct failure failure;

	(void)state;
	close(start_listening("127.0.0.1", 1, &address));
	assert_int_equal(listener_probe(&address, "it", &failure), 0);
	/* To have asked leaves nothing behind. */
	assert_int_equal(listener_probe(&address, "it", &failure), 0);
	assert_false(listener_accepts(&address));
}

static void what_is_taken_is_said_with_its_process(void **state)
{
	static const char *const hosts[] = { "127.0.0.1", "::1" };
	char words[128];
	size_t i;

	(void)state;
	prctl(PR_SET_NAME, "a (strange) one");
	snprintf(words, sizeof words, "it is taken by a (strange) one (pid %d): stop it or set `listen`",
		 (int)getpid());
	for (i = 0; i < 2; i++) {
		struct sockaddr_storage address;
		struct failure failure = { 0 };
		int fd = start_listening(hosts[i], 1, &address);

		assert_int_equal(listener_probe(&address, "it", &failure), -EADDRINUSE);
		assert_string_equal(failure.message, words);
		close(fd);
	}
}

/* One that listens everywhere is in the way of each address. */
static void taken_on_all_addresses(void **state)
{
	struct sockaddr_storage address;
	struct failure failure;
	int fd = start_listening("0.0.0.0", 1, &address);

	(void)state;
	((struct sockaddr_in *)&address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(listener_probe(&address, "it", &failure), -EADDRINUSE);
	assert_non_null(strstr(failure.message, "(pid "));
	close(fd);
}

/* A connection that lingers after its server has ended is not. */
static void the_past_is_not_in_the_way(void **state)
{
	struct sockaddr_storage address;
	struct failure failure;
	int fd = start_listening("127.0.0.1", 1, &address);
	int client = socket(AF_INET, SOCK_STREAM, 0);
	int server;

	(void)state;
	assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof(struct sockaddr_in)), 0);
	server = accept(fd, NULL, NULL);
	close(server);
	close(fd);
	close(client);
	assert_int_equal(listener_probe(&address, "it", &failure), 0);
}

static void no_address_of_this_machine(void **state)
{
	struct sockaddr_storage address;
	struct failure failure;

	(void)state;
	assert_int_equal(listener_address("203.0.113.7", 8080, &address), 0);
	assert_int_equal(listener_probe(&address, "203.0.113.7:8080", &failure), -EADDRNOTAVAIL);
	assert_string_equal(failure.message,
			    "203.0.113.7:8080 is not an address of this machine: set `listen` to one that is");
}

static void only_what_listens_accepts(void **state)
{
	struct sockaddr_storage address;
	int fd = start_listening("127.0.0.1", 8, &address);
	int i;

	(void)state;
	for (i = 0; i < 100; i++)
		assert_true(listener_accepts(&address));
	close(fd);
	assert_false(listener_accepts(&address));
	fd = start_listening("::1", 8, &address);
	assert_true(listener_accepts(&address));
	close(fd);
	assert_false(listener_accepts(&address));
}

/* A process that is stopped, or has more to do than it can: it listens, and has the port. */
static void a_full_queue_counts_as_listening(void **state)
{
	struct sockaddr_storage address;
	int fd = start_listening("127.0.0.1", 0, &address);
	int clients[8];
	int i;

	(void)state;
	for (i = 0; i < 8; i++) {
		clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(clients[i], (struct sockaddr *)&address, sizeof(struct sockaddr_in));
	}
	assert_true(listener_accepts(&address));
	for (i = 0; i < 8; i++)
		close(clients[i]);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numeric_addresses_alone),
		cmocka_unit_test(what_is_free),
		cmocka_unit_test(what_is_taken_is_said_with_its_process),
		cmocka_unit_test(taken_on_all_addresses),
		cmocka_unit_test(the_past_is_not_in_the_way),
		cmocka_unit_test(no_address_of_this_machine),
		cmocka_unit_test(only_what_listens_accepts),
		cmocka_unit_test(a_full_queue_counts_as_listening),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
