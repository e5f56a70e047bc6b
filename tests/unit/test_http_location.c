/* test_http_location.c: where a redirect leads, against RFC 3986's own examples and what servers make of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "watch/http_location.h"
#include "watch/http_request.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static struct http_place from_place(const char *authority, const char *path)
{
	struct http_place place = { 0 };
	struct sockaddr_in *in = (struct sockaddr_in *)&place.address;

	in->sin_family = AF_INET;
	in->sin_port = htons(8090);
	in->sin_addr.s_addr = htonl(0x7f000101);
	strcpy(place.authority, authority);
	strcpy(place.path, path);
	return place;
}

/* Relative to http://127.0.1.1:8090/b/c/d;p?q; `authority` NULL: the same; `path` NULL: it can't be followed. */
static const struct {
	const char *location, *authority, *path;
} table[] = {
	/* RFC 3986, 5.4.1 and 5.4.2 */
	{ "g", NULL, "/b/c/g" },
	{ "./g", NULL, "/b/c/g" },
	{ "g/", NULL, "/b/c/g/" },
	{ "/g", NULL, "/g" },
	{ "?y", NULL, "/b/c/d;p?y" },
	{ "g?y", NULL, "/b/c/g?y" },
	{ "#s", NULL, "/b/c/d;p?q" },
	{ "g#s", NULL, "/b/c/g" },
	{ "g?y#s", NULL, "/b/c/g?y" },
	{ ";x", NULL, "/b/c/;x" },
	{ ".", NULL, "/b/c/" },
	{ "./", NULL, "/b/c/" },
	{ "..", NULL, "/b/" },
	{ "../", NULL, "/b/" },
	{ "../g", NULL, "/b/g" },
	{ "../..", NULL, "/" },
	{ "../../g", NULL, "/g" },
	{ "../../../g", NULL, "/g" },
	{ "/./g", NULL, "/g" },
	{ "/../g", NULL, "/g" },
	{ "g.", NULL, "/b/c/g." },
	{ "..g", NULL, "/b/c/..g" },
	{ "./../g", NULL, "/b/g" },
	{ "g/./h", NULL, "/b/c/g/h" },
	{ "g/../h", NULL, "/b/c/h" },
	{ "g;x=1/../y", NULL, "/b/c/y" },
	{ "g?y/../x", NULL, "/b/c/g?y/../x" },
	{ "/a/b/../?c/../d", NULL, "/a/?c/../d" },
	{ "a/b:c", NULL, "/b/c/a/b:c" },
	{ "?u=http://x/", NULL, "/b/c/d;p?u=http://x/" },

	/* absolute */
	{ "http://127.0.1.1:8090/x", "127.0.1.1:8090", "/x" },
	{ "HTTP://127.0.1.1:8090", "127.0.1.1:8090", "/" },
	{ "//127.0.1.1:8090?x", "127.0.1.1:8090", "/?x" },
	{ "http://10.0.0.1/x#y", "10.0.0.1", "/x" },
	{ "http://10.0.0.1:/x", "10.0.0.1:", "/x" },
	{ "http://[2001:db8::1]:81/x", "[2001:db8::1]:81", "/x" },
	{ "http://[::1]", "[::1]", "/" },

	/* not to be followed */
	{ "", NULL, NULL },
	{ "https://127.0.1.1:8090/", NULL, NULL },
	{ "ftp://127.0.1.1/", NULL, NULL },
	{ "http:/x", NULL, NULL },
	{ "mailto:a", NULL, NULL },
	{ "http://www.example.com/", NULL, NULL },
	{ "http://user@127.0.1.1:8090/", NULL, NULL },
	{ "http://127.0.1.1:0/", NULL, NULL },
	{ "http://127.0.1.1:65536/", NULL, NULL },
	{ "http://127.0.1.1:80x/", NULL, NULL },
	{ "http://127.0.1.1:+1/", NULL, NULL },
	{ "http://127.1/", NULL, NULL },
	{ "http://[::1/", NULL, NULL },
	{ "http://[::1]x/", NULL, NULL },
	{ "http:///x", NULL, NULL },
	{ "http://:80/x", NULL, NULL },
	{ "/a b", NULL, NULL },
	{ "/a\r\nX: y", NULL, NULL },
	{ "/\xc3\xa9", NULL, NULL },
};

static void locations(void **state)
{
	const struct http_place from = from_place("127.0.1.1:8090", "/b/c/d;p?q");

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		const char *authority = table[i].authority != NULL ? table[i].authority : from.authority;
		size_t length = strlen(table[i].location);
		char *copy = malloc(length > 0 ? length : 1); /* no NUL: the length counts */
		struct http_place place;
		int error;

		memcpy(copy, table[i].location, length);
		error = http_location_resolve(&from, copy, length, &place);
		free(copy);
		if (error != (table[i].path != NULL ? 0 : -EINVAL))
			fail_msg("%s: %d", table[i].location, error);
		if (error != 0)
			continue;
		assert_string_equal(place.path, table[i].path);
		assert_string_equal(place.authority, authority);
	}
}

static void addresses(void **state)
{
	const struct http_place from = from_place("www.example.com", "/");
	struct http_place place;

	/* the name that was asked is the address that was asked */
	assert_int_equal(http_location_resolve(&from, "http://WWW.example.com/x", 24, &place), 0);
	assert_memory_equal(&place.address, &from.address, sizeof place.address);
	assert_int_equal(http_location_resolve(&from, "http://10.0.0.1/", 16, &place), 0);
	assert_int_equal(((struct sockaddr_in *)&place.address)->sin_addr.s_addr, htonl(0x0a000001));
	assert_int_equal(((struct sockaddr_in *)&place.address)->sin_port, htons(80));
	assert_int_equal(http_location_resolve(&from, "http://[::1]:81/", 16, &place), 0);
	assert_int_equal(place.address.ss_family, AF_INET6);
	assert_int_equal(((struct sockaddr_in6 *)&place.address)->sin6_port, htons(81));
}

static void a_long_location(void **state)
{
	const struct http_place from = from_place("a", "/dir/");
	struct http_place place = { 0 };
	char text[HTTP_PATH_SIZE + 1];

	memset(text, '/', 1);
	memset(text + 1, 'x', sizeof text - 1);
	assert_int_equal(http_location_resolve(&from, text, HTTP_PATH_SIZE - 1, &place), 0);
	assert_int_equal(strlen(place.path), HTTP_PATH_SIZE - 1);
	assert_int_equal(http_location_resolve(&from, text, HTTP_PATH_SIZE, &place), -EINVAL);
	assert_int_equal(http_location_resolve(&from, text + 1, HTTP_PATH_SIZE - 1, &place), -EINVAL);
}

static void requests(void **state)
{
	const char *rest = "\r\nUser-Agent: openbell/" OPENBELL_VERSION "\r\nAccept: */*\r\nConnection: close\r\n";
	struct http_place place = from_place("", "");
	static struct http_request request;
	char text[HTTP_REQUEST_SIZE];

	assert_int_equal(http_request_prepare(&request, "GET", "/x?y", NULL), 0);
	http_request_address(&request, &place.address);
	assert_int_equal(request.length, strlen(request.text));
	assert_memory_equal(request.text, "GET /x?y HTTP/1.1\r\nHost: 127.0.1.1:8090\r\n", 41);
	assert_non_null(strstr(request.text, rest));
	((struct sockaddr_in *)&place.address)->sin_port = htons(80);
	http_request_address(&request, &place.address);
	assert_memory_equal(request.text, "GET /x?y HTTP/1.1\r\nHost: 127.0.1.1\r\n", 36);

	assert_int_equal(http_request_prepare(&request, "POST", "/", "www.example.com"), 0);
	http_request_address(&request, &place.address);
	assert_memory_equal(request.text, "POST / HTTP/1.1\r\nHost: www.example.com\r\n", 40);
	assert_non_null(strstr(request.text, "\r\nContent-Length: 0\r\n\r\n"));
	http_request_place(&request, &place.address, &place);
	assert_string_equal(place.authority, "www.example.com");
	strcpy(place.path, "/new");
	http_request_redirected(&request, &place, true, text);
	assert_memory_equal(text, "GET /new HTTP/1.1\r\nHost: www.example.com\r\n", 42);
	assert_null(strstr(text, "Content-Length"));

	assert_int_equal(http_request_prepare(&request, "GE T", "/", NULL), -EINVAL);
	assert_int_equal(http_request_prepare(&request, "", "/", NULL), -EINVAL);
	assert_int_equal(http_request_prepare(&request, "GET", "x", NULL), -EINVAL);
	assert_int_equal(http_request_prepare(&request, "GET", "/\r\nX: y", NULL), -EINVAL);
	assert_int_equal(http_request_prepare(&request, "GET", "/", "a\nb"), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(locations),
		cmocka_unit_test(addresses),
		cmocka_unit_test(a_long_location),
		cmocka_unit_test(requests),
	};

	return cmocka_run_group_tests_name("http_location", tests, NULL, NULL);
}
