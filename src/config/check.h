/*
 * check.h: is a text what a key needs?  Each returns NULL, or what is wrong
 * with the text as the end of a sentence that began with it, as in
 * `must start with "/"`.
 */
#ifndef CONFIG_CHECK_H
#define CONFIG_CHECK_H

const char *check_fleet(const char *text);         /* goes into folders, sockets and AWS names */
const char *check_http_path(const char *text);
const char *check_http_host(const char *text);
const char *check_mail_address(const char *text);
const char *check_smtp_url(const char *text);
const char *check_webhook_url(const char *text);
const char *check_unit(const char *text);          /* a systemd unit; goes into a command line over SSH */
const char *check_user(const char *text);          /* a Unix user; likewise */
const char *check_host_address(const char *text);
const char *check_host_id(const char *text);
const char *check_timezone(const char *text);
const char *check_record(const char *text);
const char *check_line(const char *text);          /* printable, not empty */

const char *check_region(const char *text);
const char *check_vpc(const char *text);
const char *check_subnet(const char *text);
const char *check_instance_type(const char *text);
const char *check_bucket(const char *text);
const char *check_table(const char *text);
const char *check_cidr(const char *text);
const char *check_certificate(const char *text);

#endif
