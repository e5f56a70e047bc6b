/* check.c: see check.h. */
#define _GNU_SOURCE
#include "config/check.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define ALNUM LOWER UPPER DIGITS

#define FLEET_MAX 32
#define USER_MAX 32
#define NAME_MAX_BYTES 64
#define HOST_MAX 253
#define URL_MAX 2048
#define MAIL_MAX 254
#define ZONEINFO "/usr/share/zoneinfo"

static bool only(const char *text, const char *allowed)
{
	return text[strspn(text, allowed)] == '\0';
}

/* Printable ASCII without a space: what may stand in a request line or a header. */
static bool is_graphic(const char *text)
{
	for (; *text != '\0'; text++)
		if (!isgraph((unsigned char)*text))
			return false;
	return true;
}

const char *check_line(const char *text)
{
	const char *p;

	if (text[0] == '\0')
		return "is empty";
	for (p = text; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return "has a line break or another control character in it";
	return strlen(text) > URL_MAX ? "is too long" : NULL;
}

const char *check_fleet(const char *text)
{
	if (!only(text, LOWER DIGITS "-") || text[0] == '-' || text[0] == '\0')
		return "isn't a fleet's name: use a-z, 0-9 and \"-\", the first not \"-\"";
	return strlen(text) > FLEET_MAX ? "is longer than 32 characters" : NULL;
}

const char *check_http_path(const char *text)
{
	if (text[0] != '/')
		return "must start with \"/\"";
	if (!is_graphic(text))
		return "has a space or another character that must be percent-encoded";
	return strlen(text) > URL_MAX ? "is longer than 2048 characters" : NULL;
}

const char *check_http_host(const char *text)
{
	if (text[0] == '\0' || !only(text, ALNUM ".-_:[]") || strlen(text) > HOST_MAX)
		return "isn't a host name: use letters, digits, \".\" and \"-\", and a port behind \":\" if need be";
	return NULL;
}

const char *check_mail_address(const char *text)
{
	const char *at = strchr(text, '@');

	if (at == NULL || strchr(at + 1, '@') != NULL)
		return "isn't a mail address: exactly one \"@\", as in ops@example.com";
	if (at == text || at[1] == '\0' || !is_graphic(text) || strpbrk(text, "<>,;:\"\\()[]") != NULL)
		return "isn't a mail address: write it bare, as in ops@example.com";
	return strlen(text) > MAIL_MAX ? "is longer than 254 characters" : NULL;
}

/* "host", "host:port", "[::1]:port" up to the end of `length`. */
static bool is_authority(const char *text, size_t length)
{
	const char *end = text + length;
	const char *p = text;

	if (*p == '[') {
		p++;
		p += strspn(p, DIGITS "abcdefABCDEF:.");
		if (*p++ != ']')
			return false;
	} else {
		p += strspn(p, ALNUM ".-_");
	}
	if (p == text || p > end)
		return false;
	if (p < end && *p == ':') {
		size_t digits = strspn(++p, DIGITS);

		if (digits == 0 || digits > 5 || atol(p) < 1 || atol(p) > 65535)
			return false;
		p += digits;
	}
	return p == end;
}

const char *check_smtp_url(const char *text)
{
	const char *host;
	size_t length;

	if (strncmp(text, "smtp://", 7) != 0 && strncmp(text, "smtps://", 8) != 0)
		return "must start with smtp:// or smtps://, as in smtp://smtp.example.com:587";
	host = strstr(text, "//") + 2;
	if (strchr(host, '@') != NULL)
		return "must hold no user and no password: give them as mail.user and mail.password_file";
	length = strcspn(host, "/");
	if (!is_authority(host, length) || (host[length] == '/' && host[length + 1] != '\0'))
		return "must be a host and a port, as in smtp://smtp.example.com:587";
	return strlen(text) > URL_MAX ? "is longer than 2048 characters" : NULL;
}

const char *check_webhook_url(const char *text)
{
	const char *host;
	const char *at;
	size_t length;

	if (strncmp(text, "http://", 7) != 0 && strncmp(text, "https://", 8) != 0)
		return "must start with http:// or https://";
	if (!is_graphic(text))
		return "has a space or another character that must be percent-encoded";
	host = strstr(text, "//") + 2;
	length = strcspn(host, "/?#");
	at = memrchr(host, '@', length);
	if (at != NULL) {
		length -= (size_t)(at + 1 - host);
		host = at + 1;
	}
	if (!is_authority(host, length))
		return "must name a host, as in https://chat.example.com/hook";
	return strlen(text) > URL_MAX ? "is longer than 2048 characters" : NULL;
}

const char *check_unit(const char *text)
{
	if (text[0] == '\0' || text[0] == '-' || !only(text, ALNUM "@._:-") || strlen(text) > NAME_MAX_BYTES)
		return "isn't a systemd unit's name, such as apache2";
	return NULL;
}

const char *check_user(const char *text)
{
	if (text[0] == '\0' || text[0] == '-' || text[0] == '.' || !only(text, ALNUM "_.-") || strlen(text) > USER_MAX)
		return "isn't a user's name";
	return NULL;
}

const char *check_host_address(const char *text)
{
	unsigned char address[sizeof(struct in6_addr)];

	if (inet_pton(AF_INET6, text, address) == 1)
		return NULL;
	if (text[0] == '\0' || !isalnum((unsigned char)text[0]) || !only(text, ALNUM ".-_") || strlen(text) > HOST_MAX)
		return "isn't an address or a host name (the port has a key of its own)";
	return NULL;
}

const char *check_host_id(const char *text)
{
	/* The address is the id where none is given. */
	if (check_host_address(text) == NULL)
		return NULL;
	if (!isalnum((unsigned char)text[0]) || !only(text, ALNUM "._:-") || strlen(text) > NAME_MAX_BYTES)
		return "isn't an id: use letters, digits, \".\", \"_\" and \"-\", at most 64";
	return NULL;
}

const char *check_timezone(const char *text)
{
	char path[sizeof ZONEINFO + NAME_MAX_BYTES + 1] = ZONEINFO "/";

	if (!isalpha((unsigned char)text[0]) || !only(text, ALNUM "_/+-") || strlen(text) > NAME_MAX_BYTES ||
	    text[strlen(text) - 1] == '/')
		return "isn't a time zone's name, such as Europe/London";
	/* A machine without zones can't tell. */
	if (access(ZONEINFO, R_OK) < 0)
		return NULL;
	strcat(path, text);
	return access(path, R_OK) < 0 ? "is no time zone that this machine knows (write one such as Europe/London)"
				      : NULL;
}

const char *check_record(const char *text)
{
	static const char dynamodb[] = "dynamodb://";

	if (strcmp(text, "sqlite") == 0)
		return NULL;
	if (strncmp(text, dynamodb, sizeof dynamodb - 1) != 0)
		return "is no record: write sqlite, or dynamodb://table";
	return check_table(text + sizeof dynamodb - 1);
}

const char *check_region(const char *text)
{
	if (!islower((unsigned char)text[0]) || !only(text, LOWER DIGITS "-") || strchr(text, '-') == NULL ||
	    strlen(text) > NAME_MAX_BYTES)
		return "isn't an AWS region, such as us-east-1";
	return NULL;
}

static bool is_resource(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(text, prefix, length) == 0 && text[length] != '\0' && only(text + length, LOWER DIGITS) &&
	       strlen(text) <= NAME_MAX_BYTES;
}

const char *check_vpc(const char *text)
{
	return is_resource(text, "vpc-") ? NULL : "isn't a VPC's id, such as vpc-0a1b2c3d";
}

const char *check_subnet(const char *text)
{
	return is_resource(text, "subnet-") ? NULL : "isn't a subnet's id, such as subnet-0a1b2c3d";
}

const char *check_instance_type(const char *text)
{
	const char *dot = strchr(text, '.');

	if (dot == NULL || dot == text || dot[1] == '\0' || !only(text, LOWER DIGITS ".-") ||
	    strlen(text) > NAME_MAX_BYTES)
		return "isn't an instance type, such as t3.micro";
	return NULL;
}

const char *check_bucket(const char *text)
{
	size_t length = strlen(text);

	if (length < 3 || length > 63 || !only(text, LOWER DIGITS ".-") || strstr(text, "..") != NULL ||
	    !isalnum((unsigned char)text[0]) || !isalnum((unsigned char)text[length - 1]))
		return "isn't a bucket's name: 3 to 63 of a-z, 0-9, \".\" and \"-\"";
	return NULL;
}

const char *check_table(const char *text)
{
	size_t length = strlen(text);

	if (length < 3 || length > 255 || !only(text, ALNUM "_.-"))
		return "has no DynamoDB table's name: 3 to 255 letters, digits, \"_\", \".\" and \"-\"";
	return NULL;
}

const char *check_cidr(const char *text)
{
	static const char wrong[] = "isn't a range of addresses, such as 203.0.113.0/24";
	unsigned char address[sizeof(struct in6_addr)];
	const char *slash = strchr(text, '/');
	char host[NAME_MAX_BYTES];
	int most;

	if (slash == NULL || (size_t)(slash - text) >= sizeof host)
		return wrong;
	memcpy(host, text, (size_t)(slash - text));
	host[slash - text] = '\0';
	most = inet_pton(AF_INET, host, address) == 1 ? 32 : inet_pton(AF_INET6, host, address) == 1 ? 128 : -1;
	if (slash[1] == '\0' || !only(slash + 1, DIGITS) || strlen(slash + 1) > 3 || atoi(slash + 1) > most)
		return wrong;
	return NULL;
}

const char *check_certificate(const char *text)
{
	if (strncmp(text, "arn:aws", 7) != 0 || strstr(text, ":acm:") == NULL || !is_graphic(text) ||
	    strlen(text) > URL_MAX)
		return "isn't the ARN of an ACM certificate, arn:aws:acm:...";
	return NULL;
}
