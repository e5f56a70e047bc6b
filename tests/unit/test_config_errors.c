/* test_config_errors.c: every kind of error in openbell.yaml, to the letter. */
#define _GNU_SOURCE
#include "base/path.h"
#include "config/config.h"
#include "config/parse.h"
#include "config/regex_check.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NAME "openbell.yaml:"

/* Each line of `findings` follows "openbell.yaml:". */
struct finding_case {
	const char *text;
	const char *findings;
};

static const struct finding_case errors[] = {
	{ "fleet: webserver\n"
	  "monitor:\n"
	  "  evry: 1m\n"
	  "  timeout: 5\n"
	  "  timeout: 6s\n",
	  "3:3: unknown key \"evry\", did you mean \"every\"?\n"
	  "4:12: monitor.timeout: \"5\" has no unit: write 5s or 5m\n"
	  "5:3: monitor.timeout is already set in line 4" },
	{ "fleet: \"\\e[31mx\\u009b\"",
	  "1:8: fleet: \"?[31mx?\" isn't a fleet's name: use a-z, 0-9 and \"-\", the first not \"-\"" },
	{ "health: {path: \"/\303\251\", every: 1}",
	  "1:16: health.path: \"/\303\251\" has a space or another character that must be percent-encoded\n"
	  "1:29: health.every: \"1\" has no unit: write 1s or 1m" },
	{ "capacity: {open: 999999}", "1:18: capacity.open: 999999 is out of range, 0 to 250" },
	{ "mail: {smtp: smtp://h, from: a@b, to: [], tls: requird}",
	  "1:39: mail.to: nobody is in the list\n"
	  "1:48: mail.tls: \"requird\" is not one of required, optional, none, did you mean \"required\"?" },
	{ "schedule: {calendar: weekdays, open: \"09:00\", close: \"08:00\"}",
	  "1:54: schedule.close: 08:00 must be later than schedule.open, 09:00" },
	{ "health: {timeout: 3s}", "1:19: health.timeout: 3s must be at most health.every, 2s" },
	{ "monitor: {timeout: 1m}", "1:20: monitor.timeout: 1m must be less than monitor.every, 1m" },
	{ "listen: 127.0.0.1:8081", "1:9: listen: port 8081 is that of web.listen too" },
	{ "archive: {interval: 5m}", "1:11: unknown key \"interval\", did you mean \"every\"?" },
	{ "web: {tokn: x}", "1:7: unknown key \"tokn\", did you mean \"token_file\"?" },
	{ "mail: {password: hunter2, smtp: smtp://h, from: a@b, to: a@b}",
	  "1:8: unknown key \"password\", did you mean \"password_file\"?" },
	{ "Capacity: {}", "1:1: unknown key \"Capacity\", did you mean \"capacity\"?" },
	{ "flet: x", "1:1: unknown key \"flet\", did you mean \"fleet\"?" },
	{ "fleet: a\n"
	  "fleet: b",
	  "2:1: fleet is already set in line 1" },
	{ "capacity:\n"
	  "\topen: 2",
	  "2:1: a tab can't indent YAML: use spaces" },
	{ "capacity:\n"
	  "  open: 2\n"
	  "\tclosed: 0",
	  "3:1: a tab can't indent YAML: use spaces" },
	{ "listen: *:8080", "1:9: a value that starts with \"*\" needs quotes, as in \"*:8080\"" },
	{ "listen: [::1]:8080", "1:10: an IPv6 address needs quotes, as in \"[::1]:8080\"" },
	{ "fleet: \"x", "1:8: the quote that opens here is never closed" },
	{ "capacity: {open: 1", "1:11: the mapping that opens here with \"{\" is never closed" },
	{ "hosts: [1, 2\n"
	  "fleet: x",
	  "1:8: the list that opens here with \"[\" is never closed" },
	{ "fleet: b: c",
	  "1:9: \": \" can't be here: look at the line above and the indentation, and quote a value that "
	  "holds a colon" },
	{ "fleet: x\n"
	  "  provider: local",
	  "2:11: \": \" can't be here: look at the line above and the indentation, and quote a value that "
	  "holds a colon" },
	{ "capacity:\n"
	  "  open: 1\n"
	  " closed: 1",
	  "3:2: expected a key here: is this line indented as its neighbours, or does a value before it need "
	  "quotes?" },
	{ "fleet: @x", "1:8: a value that starts with \"@\" needs quotes" },
	{ "fleet: `x", "1:8: a value that starts with \"`\" needs quotes" },
	{ "fleet: %x", "1:8: a value that starts with \"%\" needs quotes" },
	{ "monitor: {http: {body: \"\\q\"}}",
	  "1:25: an unknown escape inside double quotes: write \\\\ for a backslash, or use single quotes" },
	{ "fleet: x\001y", "1:9: a control character can't be here" },
	{ "fleet: x\377", "1:9: byte 0xff is not UTF-8 text" },
	{ "fleet: a\n"
	  "---\n"
	  "fleet: b",
	  "2:1: a second YAML document starts here: one file holds one configuration" },
	{ "- a", "1:1: expected keys and values, such as \"fleet: webserver\", got a list" },
	{ "text", "1:1: expected keys and values, such as \"fleet: webserver\", got \"text\"" },
	{ "fleet: &a web\n"
	  "state: *a",
	  "2:8: an alias (*a) can't be used here: write the value itself, or quote one that starts with *" },
	{ "<<: {fleet: x}", "1:1: merge keys (<<) can't be used here: write the keys themselves" },
	{ "capacity: {<<: {open: 1}}", "1:12: merge keys (<<) can't be used here: write the keys themselves" },
	{ "fleet: !!str x", "1:8: the tag \"tag:yaml.org,2002:str\" has no meaning here: remove it" },
	{ "[[[[[[[[[[[[[[[[[[[x", "1:17: nested more than 16 levels deep" },
	{ "fleet:", "1:7: fleet: expected text, got nothing" },
	{ "fleet: [a]", "1:8: fleet: expected text, got a list" },
	{ "fleet: Web", "1:8: fleet: \"Web\" isn't a fleet's name: use a-z, 0-9 and \"-\", the first not \"-\"" },
	{ "provider: aaws", "1:11: provider: \"aaws\" is not one of local, hosts, aws, did you mean \"aws\"?" },
	{ "provider: [aws]", "1:11: provider: expected one word, got a list" },
	{ "site: \"\"", "1:7: site: the path is empty" },
	{ "site: ~bob/x", "1:7: site: \"~bob/x\": of homes only one's own, ~/, is understood: write the whole path" },
	{ "listen: 8080", "1:9: listen: \"8080\" has no address: write 127.0.0.1:8080, or \"*:8080\" for all" },
	{ "listen: web:80",
	  "1:9: listen: \"web\" isn't an address of this machine: write a numeric one, localhost, or * for all" },
	{ "listen: 127.0.0.1:0", "1:9: listen: port 0 is out of range, 1 to 65535" },
	{ "listen: 127.0.0.1:99999", "1:9: listen: port 99999 is out of range, 1 to 65535" },
	{ "listen: ::1:8080", "1:9: listen: \"::1:8080\" needs brackets and a port: write \"[::1]:8080\"" },
	{ "listen: \"::1\"", "1:9: listen: \"::1\" needs brackets and a port: write \"[::1]:8080\"" },
	{ "listen: 127.0.0.1",
	  "1:9: listen: \"127.0.0.1\" isn't an address and a port: write 127.0.0.1:8080 or \"[::1]:8080\"" },
	{ "listen: 127.0.0.1:http", "1:9: listen: \"http\" isn't a port, 1 to 65535" },
	{ "listen: null", "1:9: listen: expected an address and a port such as 127.0.0.1:8080, got nothing" },
	{ "capacity: 2", "1:11: capacity: expected a mapping, got \"2\"" },
	{ "capacity: {open: two}", "1:18: capacity.open: expected a whole number, got \"two\"" },
	{ "capacity: {open: 2.5}", "1:18: capacity.open: expected a whole number, got \"2.5\"" },
	{ "capacity: {open: -1}", "1:18: capacity.open: -1 is out of range, 0 to 250" },
	{ "capacity: {open: 99999999999999999999999999}",
	  "1:18: capacity.open: 999999999999999999999999 is out of range, 0 to 250" },
	{ "capacity: {open: 0x10}", "1:18: capacity.open: expected a whole number, got \"0x10\"" },
	{ "capacity: {open: \"2\"}", "1:18: capacity.open: expected a whole number, got \"2\" in quotes" },
	{ "capacity: {open: null}", "1:18: capacity.open: expected a whole number, got nothing" },
	{ "capacity: {open: 5, max: 4}", "1:18: capacity.open: 5 is more than capacity.max, 4" },
	{ "capacity: {min: 3, open: 2}", "1:17: capacity.min: 3 is more than capacity.open, 2" },
	{ "capacity: {open: 1, closed: 2}", "1:29: capacity.closed: 2 is more than capacity.open, 1" },
	{ "capacity: {max: 1, min: 2}", "1:25: capacity.min: 2 is more than capacity.max, 1" },
	{ "schedule: {calendar: xlon}",
	  "1:22: schedule.calendar: \"xlon\" is no calendar: there are always, weekdays, XLON, XNYS, XPAR, "
	  "XETR, XTKS, XHKG, and files of holidays whose name ends in .ics, did you mean \"XLON\"?" },
	{ "schedule: {calendar: NYSE}",
	  "1:22: schedule.calendar: \"NYSE\" is no calendar: there are always, weekdays, XLON, XNYS, XPAR, "
	  "XETR, XTKS, XHKG, and files of holidays whose name ends in .ics, did you mean \"XNYS\"?" },
	{ "schedule: {calendar: x.ics, open: bell}",
	  "1:35: schedule.open: the calendar file has no bell: write a time, such as 08:45" },
	{ "schedule: {timezone: ../../etc/passwd}",
	  "1:22: schedule.timezone: \"../../etc/passwd\" isn't a time zone's name, such as Europe/London" },
	{ "schedule: {calendar: XNYS, open: bell-90s}",
	  "1:34: schedule.open: \"bell-90s\" is no time: write 08:45, or whole minutes from the bell as in "
	  "bell-15m" },
	{ "schedule: {open: bell-13h}", "1:18: schedule.open: \"bell-13h\" is out of range, bell-12h to bell+12h" },
	{ "schedule: {open: 24:00}",
	  "1:18: schedule.open: \"24:00\" is no time: write 08:45, or whole minutes from the bell as in "
	  "bell-15m" },
	{ "schedule: {open: noon}",
	  "1:18: schedule.open: \"noon\" is no time: write 08:45, or whole minutes from the bell as in bell-15m" },
	{ "schedule: {calendar: weekdays, open: bell-15m}",
	  "1:38: schedule.open: the calendar weekdays has no bell: write a time, such as 08:45" },
	{ "schedule: {calendar: weekdays, open: 18:00}",
	  "1:38: schedule.close: 17:15 must be later than schedule.open, 18:00" },
	{ "schedule: {calendar: weekdays, open: 10:00, close: 09:00}",
	  "1:52: schedule.close: 09:00 must be later than schedule.open, 10:00" },
	{ "schedule: {lead: 13h}", "1:18: schedule.lead: \"13h\" is out of range, 0s to 12h" },
	{ "health: {path: x}", "1:16: health.path: \"x\" must start with \"/\"" },
	{ "health: {path: \"/a b\"}",
	  "1:16: health.path: \"/a b\" has a space or another character that must be percent-encoded" },
	{ "health: {path: \"/a\\r\\nX: y\"}",
	  "1:16: health.path: \"/a??X: y\" has a space or another character that must be percent-encoded" },
	{ "health: {status: 20}",
	  "1:18: health.status: \"20\" is no HTTP status: write 200, 200-299 or [200, 301-308], within 100 "
	  "to 599" },
	{ "health: {status: 299-200}",
	  "1:18: health.status: \"299-200\" is no HTTP status: write 200, 200-299 or [200, 301-308], within "
	  "100 to 599" },
	{ "health: {status: [200, x]}",
	  "1:24: health.status: \"x\" is no HTTP status: write 200, 200-299 or [200, 301-308], within 100 to "
	  "599" },
	{ "health: {status: []}", "1:18: health.status: an empty list lets no answer pass" },
	{ "health: {status: [200,201,202,203,204,205,206,207,208]}",
	  "1:18: health.status: 9 statuses are too many: at most 8" },
	{ "health: {status: {a: 1}}",
	  "1:18: health.status: expected an HTTP status such as 200 or 200-299, got a mapping" },
	{ "health: {every: 2s, timeout: 3s}", "1:30: health.timeout: 3s must be at most health.every, 2s" },
	{ "monitor: {every: 60}", "1:18: monitor.every: \"60\" has no unit: write 60s or 60m" },
	{ "monitor: {every: 5 fortnights}",
	  "1:18: monitor.every: \"5 fortnights\" isn't a duration: write it as 30s, 5m or 1m30s (units: ms, "
	  "s, m, h, d)" },
	{ "monitor: {every: 1M}",
	  "1:18: monitor.every: \"1M\" isn't a duration: write it as 30s, 5m or 1m30s (units: ms, s, m, h, d)" },
	{ "monitor: {every: 0s}", "1:18: monitor.every: \"0s\" is out of range, 100ms to 1d" },
	{ "monitor: {every: 200y}",
	  "1:18: monitor.every: \"200y\" isn't a duration: write it as 30s, 5m or 1m30s (units: ms, s, m, h, d)" },
	{ "monitor: {every: [1m]}", "1:18: monitor.every: expected a duration such as 30s, got a list" },
	{ "monitor: {http: {method: POST}}", "1:26: monitor.http.method: \"POST\" is not one of GET, HEAD, OPTIONS" },
	{ "monitor: {http: {method: get}}",
	  "1:26: monitor.http.method: \"get\" is not one of GET, HEAD, OPTIONS, did you mean \"GET\"?" },
	{ "monitor: {http: {scheme: htps}}",
	  "1:26: monitor.http.scheme: \"htps\" is not one of http, https, did you mean \"https\"?" },
	{ "monitor: {http: {host: \"a\\r\\nb\"}}",
	  "1:24: monitor.http.host: \"a??b\" isn't a host name: use letters, digits, \".\" and \"-\", and a "
	  "port behind \":\" if need be" },
	{ "monitor: {http: {body: \"(\"}}",
	  "1:24: monitor.http.body: \"(\" isn't a regular expression: Unmatched ( or \\(" },
	{ "monitor: {http: {body: \"((a{1,200}){1,200}){1,200}\"}}",
	  "1:24: monitor.http.body: \"((a{1,200}){1,200}){1,200}\" isn't a regular expression: its "
	  "repetitions multiply to more than 10000 parts" },
	{ "monitor: {http: {method: HEAD, body: x}}",
	  "1:38: monitor.http.body: an answer to HEAD has no body to look at" },
	{ "monitor: {restart: maybe}", "1:20: monitor.restart: expected true or false, got \"maybe\"" },
	{ "monitor: {restart: \"yes\"}", "1:20: monitor.restart: expected true or false, got \"yes\" in quotes" },
	{ "monitor: {brake: 150%}", "1:18: monitor.brake: \"150%\" is out of range, 0% to 100%" },
	{ "monitor: {brake: half}", "1:18: monitor.brake: \"half\" isn't a percentage: write it as 50%" },
	{ "monitor: {brake: 50}", "1:18: monitor.brake: \"50\" is out of range, 0 to 1: did you mean 50%?" },
	{ "monitor: {ssh: non}", "1:16: monitor.ssh: expected a mapping or none, got \"non\"" },
	{ "monitor: {ssh: }", "1:16: monitor.ssh: expected a mapping or none, got nothing" },
	{ "monitor: {ssh: {user: -x}}", "1:23: monitor.ssh.user: \"-x\" isn't a user's name" },
	{ "monitor: {ssh: {port: 0}}", "1:23: monitor.ssh.port: 0 is out of range, 1 to 65535" },
	{ "monitor: {service: \"a;reboot\"}",
	  "1:20: monitor.service: \"a;reboot\" isn't a systemd unit's name, such as apache2" },
	{ "monitor: {evry: 1m}", "1:11: unknown key \"evry\", did you mean \"every\"?" },
	{ "monitor: {password: x}",
	  "1:11: unknown key \"password\": monitor has every, timeout, http, service, ssh, restart, "
	  "replace_after, brake" },
	{ "monitor: {smtp: x}", "1:11: unknown key \"smtp\", did you mean \"mail.smtp\"?" },
	{ "monitor: {zzzzzz: x}",
	  "1:11: unknown key \"zzzzzz\": monitor has every, timeout, http, service, ssh, restart, "
	  "replace_after, brake" },
	{ "zzzzzzzz: x",
	  "1:1: unknown key \"zzzzzzzz\": the keys here are fleet, provider, site, listen, state, capacity, "
	  "scale, schedule, health, monitor, archive, record, record_keep, mail, notify, web, hosts, aws" },
	{ "hots: []", "1:1: unknown key \"hots\", did you mean \"hosts\"?" },
	{ "archive: {keep: 400}", "1:17: archive.keep: \"400\" has no unit: write 400d or 400h" },
	{ "archive: {pending: 2X}",
	  "1:20: archive.pending: \"2X\" isn't a size: write it as 512M or 2G (units: K, M, G, T, P)" },
	{ "archive: {pending: 1K}", "1:20: archive.pending: \"1K\" is out of range, 64K to 1P" },
	{ "archive: {at: 25:00}",
	  "1:15: archive.at: \"25:00\" isn't a time of day: write it as 08:45, 00:00 to 23:59" },
	{ "archive: {to: \"http://x/\"}",
	  "1:15: archive.to: \"http://x/\" is neither a folder nor s3://bucket/prefix/" },
	{ "archive: {to: s3://B/}",
	  "1:15: archive.to: \"s3://B/\" names no bucket: write s3://bucket/prefix/, the bucket with 3 to 63 "
	  "of a-z, 0-9, \".\" and \"-\"" },
	{ "archive: {to: \"s3://bucket/a b\"}",
	  "1:15: archive.to: \"s3://bucket/a b\" has a prefix with an empty part, a space or another "
	  "character that S3 keys should not have" },
	{ "archive: {to: null}", "1:15: archive.to: expected a folder or s3://bucket/prefix/, got nothing" },
	{ "archive: {format: zip}", "1:19: archive.format: \"zip\" is not one of tar.gz, tar.zst" },
	{ "record: mysql", "1:9: record: \"mysql\" is no record: write sqlite, or dynamodb://table" },
	{ "record: dynamodb://",
	  "1:9: record: \"dynamodb://\" has no DynamoDB table's name: 3 to 255 letters, digits, \"_\", \".\" "
	  "and \"-\"" },
	{ "provider: aws\n"
	  "record: sqlite\n"
	  "archive: {to: logs/}",
	  "2:9: record: sqlite ends with its instance on aws: write dynamodb://table, or leave it out\n"
	  "3:15: archive.to: a folder ends with its instance on aws: write s3://bucket/prefix/, or leave it out" },
	{ "mail: {}",
	  "1:1: mail.smtp is missing: the server to send through, as in smtp://smtp.example.com:587\n"
	  "1:1: mail.from is missing: the address that mails come from\n"
	  "1:1: mail.to is missing: the addresses that mails go to" },
	{ "mail: {smtp: smtp.example.com, from: ops, to: []}",
	  "1:14: mail.smtp: the URL must start with smtp:// or smtps://, as in smtp://smtp.example.com:587\n"
	  "1:38: mail.from: \"ops\" isn't a mail address: exactly one \"@\", as in ops@example.com\n"
	  "1:47: mail.to: nobody is in the list" },
	{ "mail: {smtp: \"smtp://u:secret@h\", from: a@b, to: [a@b, \"x@y\\r\\nBcc: z\"]}",
	  "1:14: mail.smtp: the URL must hold no user and no password: give them as mail.user and "
	  "mail.password_file\n"
	  "1:56: mail.to: \"x@y??Bcc: z\" isn't a mail address: write it bare, as in ops@example.com" },
	{ "mail: {smtp: \"smtp://h:587\", from: a@b@c, to: a@b}",
	  "1:36: mail.from: \"a@b@c\" isn't a mail address: exactly one \"@\", as in ops@example.com" },
	{ "mail: {smtp: \"smtp://h:587\", from: a@c, to: a@b, user: x}",
	  "1:56: mail.user: mail.password_file is missing: the file whose first line is the password" },
	{ "mail: {smtp: \"smtps://h:465\", from: a@c, to: a@b, password_file: x, tls: of}",
	  "1:66: mail.password_file: mail.user is missing: whose password it is\n"
	  "1:74: mail.tls: \"of\" is not one of required, optional, none" },
	{ "notify: {webhook: ftp://x}", "1:19: notify.webhook: the URL must start with http:// or https://" },
	{ "notify: {exec: \"\"}", "1:16: notify.exec: \"\" is empty" },
	{ "web: {listen: \":8081\"}", "1:15: web.listen: 0.0.0.0 is not loopback: web.token_file is required" },
	{ "web: {listen: \"127.0.0.1:8080\"}", "1:15: web.listen: port 8080 is that of listen too" },
	{ "provider: hosts", "1:11: provider: hosts needs the list hosts, as in hosts: [{address: 10.0.0.11}]" },
	{ "provider: hosts\n"
	  "hosts: [{address: 10.0.0.1}, {address: 10.0.0.1}]",
	  "2:30: hosts[1]: the id \"10.0.0.1\" is already that of hosts[0] in line 2" },
	{ "provider: hosts\n"
	  "hosts:\n"
	  "  - 10.0.0.1\n"
	  "  - {adress: x}\n"
	  "  - {address: 10.0.0.2, port: 99999, weight: 300, id: \"a b\", user: x, user: y}\n"
	  "  - {port: 1}",
	  "3:5: hosts[0]: expected a mapping such as {address: 10.0.0.11}, got \"10.0.0.1\"\n"
	  "4:5: hosts[1]: address is missing\n"
	  "4:6: unknown key \"adress\", did you mean \"address\"?\n"
	  "5:31: hosts[2].port: 99999 is out of range, 1 to 65535\n"
	  "5:46: hosts[2].weight: 300 is out of range, 0 to 256\n"
	  "5:55: hosts[2].id: \"a b\" isn't an id: use letters, digits, \".\", \"_\" and \"-\", at most 64\n"
	  "5:71: hosts[2].user is already set in line 5\n"
	  "6:5: hosts[3]: address is missing" },
	{ "aws: {region: x, vpc: y, subnets: [z], instance_type: t, config_bucket: AB, table: t, admin_cidr: "
	  "10.0.0.1, certificate: x, on_demand_base: 300}",
	  "1:15: aws.region: \"x\" isn't an AWS region, such as us-east-1\n"
	  "1:23: aws.vpc: \"y\" isn't a VPC's id, such as vpc-0a1b2c3d\n"
	  "1:36: aws.subnets: \"z\" isn't a subnet's id, such as subnet-0a1b2c3d\n"
	  "1:55: aws.instance_type: \"t\" isn't an instance type, such as t3.micro\n"
	  "1:73: aws.config_bucket: \"AB\" isn't a bucket's name: 3 to 63 of a-z, 0-9, \".\" and \"-\"\n"
	  "1:84: aws.table: \"t\" has no DynamoDB table's name: 3 to 255 letters, digits, \"_\", \".\" and "
	  "\"-\"\n"
	  "1:99: aws.admin_cidr: \"10.0.0.1\" isn't a range of addresses, such as 203.0.113.0/24\n"
	  "1:122: aws.certificate: \"x\" isn't the ARN of an ACM certificate, arn:aws:acm:...\n"
	  "1:141: aws.on_demand_base: 300 is out of range, 0 to 250" },
	{ "[a]: b", "1:1: expected a key, got a list" },
	{ "? {a: b}\n"
	  ": c",
	  "1:3: expected a key, got a mapping" },
	{ "fleet: \"a\\0b\"", "1:8: a NUL character (\\0) can't be part of a value" },
	{ "a: 1\n"
	  "...\n"
	  "b: 2",
	  "1:1: unknown key \"a\": the keys here are fleet, provider, site, listen, state, capacity, scale, "
	  "schedule, health, monitor, archive, record, record_keep, mail, notify, web, hosts, aws\n"
	  "3:1: text after the end (\"...\") of the configuration" },
	{ "a: ]", "1:4: expected a value here: one that starts with this character needs quotes" },
	{ "a: - b", "1:4: \"- \" can't be here: start a list on a line of its own, indented below its key" },
	{ "foo\n"
	  "fleet: x",
	  "2:6: \": \" can't be here: look at the line above and the indentation, and quote a value that "
	  "holds a colon" },
	{ "fleet: a\n"
	  "monitor:\n"
	  "  evry: 1\n"
	  "  http: {body: \"x",
	  "3:3: unknown key \"evry\", did you mean \"every\"?\n"
	  "4:16: the quote that opens here is never closed" },
};

static const struct finding_case warnings[] = {
	{ "schedule: {calendar: XLON, open: bell+15m}",
	  "1:34: schedule.open: the fleet opens after the bell, when trading has begun" },
	{ "schedule: {calendar: XLON, open: 08:45}",
	  "1:34: schedule.open: 08:45 is after the bell of XLON, 08:00, when trading has begun" },
	{ "notify: {webhook: \"https://u:p@h/***\"}",
	  "1:19: notify.webhook: the URL is masked, as \"openbell config\" prints it: put back what *** hides" },
};

static const char *const fine[] = {
	"monitor: {every: 1s}",
	"",
	"# only\n",
	"---",
	"null",
	"fleet: a-b-c-d-e-f-g-h-i-j-k-l-m-n-o-pq",
	"site: null",
	"listen: :8080",
	"listen: \"*:8080\"",
	"listen: \"[::1]:8080\"",
	"listen: localhost:8080",
	"capacity:",
	"capacity: {open: 08}",
	"capacity: {open: 5}",
	"capacity: {min: 3}",
	"capacity: {max: 1}",
	"capacity: {closed: 3}",
	"schedule: {calendar: XLON, open: 07:45}",
	"health: {every: 500ms}",
	"monitor: {every: 5s}",
	"monitor: {restart: off}",
	"monitor: {ssh: none}",
	"archive: {to: s3://bucket}",
	"provider: aws",
	"provider: aws\n"
	  "archive: {to: s3://bucket/x/}\n"
	  "record: dynamodb://tab",
	"mail: null",
	"web: {listen: \":8081\", token_file: tok}",
	"provider: hosts\n"
	  "hosts: hosts.yaml",
};

/* Compare the lines with "a\nb"; says which text it was. */
static void assert_lines(const char *text, char *const *lines, size_t count, const char *expected)
{
	char *copy = strdup(expected);
	char *rest = copy;
	const char *line;
	size_t i;

	assert_non_null(copy);
	for (i = 0; (line = strsep(&rest, "\n")) != NULL; i++) {
		const char *got = i < count ? lines[i] : "(nothing)";

		if (strncmp(got, NAME, strlen(NAME)) == 0)
			got += strlen(NAME);
		if (strcmp(got, line) != 0)
			print_error("of this file:\n%s\n", text);
		assert_string_equal(got, line);
	}
	if (count > i)
		print_error("of this file:\n%s\n1 more: %s\n", text, lines[i]);
	assert_int_equal(count, i);
	free(copy);
}

static int parse(const char *text, size_t length, struct config_findings *ret_findings)
{
	struct config *config = NULL;
	int r = config_parse_text("openbell.yaml", "/srv/openbell.yaml", "/srv", text, length, &config, ret_findings);

	if (r < 0)
		assert_null(config);
	config_free(config);
	return r;
}

static void errors_are_told(void **state)
{
	struct config_findings findings;
	size_t i;

	for (i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		assert_int_equal(parse(errors[i].text, strlen(errors[i].text), &findings), -EINVAL);
		assert_lines(errors[i].text, findings.lines, findings.count, errors[i].findings);
		config_findings_free(&findings);
	}
}

static void warnings_are_no_errors(void **state)
{
	struct config_findings findings;
	size_t i;

	for (i = 0; i < sizeof warnings / sizeof warnings[0]; i++) {
		assert_int_equal(parse(warnings[i].text, strlen(warnings[i].text), &findings), 0);
		assert_int_equal(findings.count, 0);
		assert_lines(warnings[i].text, findings.warnings, findings.warning_count, warnings[i].findings);
		config_findings_free(&findings);
	}
}

static void what_is_right_is_silent(void **state)
{
	struct config_findings findings;
	size_t i;

	for (i = 0; i < sizeof fine / sizeof fine[0]; i++) {
		int r = parse(fine[i], strlen(fine[i]), &findings);

		if (r != 0)
			print_error("of this file:\n%s\n%s\n", fine[i], findings.count > 0 ? findings.lines[0] : "");
		assert_int_equal(r, 0);
		assert_int_equal(findings.warning_count, 0);
		config_findings_free(&findings);
	}
}

/* The C library would take all memory for those that multiply. */
static void regular_expressions_are_bounded(void **state)
{
	static const struct {
		const char *pattern;
		bool good;
	} table[] = {
		{ "a+++++++++++++++++++++++++++++++", false }, { "((a{1,200}){1,200}){1,200}", false },
		{ "(((a+)+)+)+", true },                       { "a{99999}", false },
		{ "((a{100}){100}){2}", false },               { "(((((a{2,}+){2,}+){2,}+){2,}+){2,}+){2,}+", false },
		{ "[+++++++++++++++++++]+", true },            { "[]+{9999}]", true },
		{ "[[:alpha:]+++++++++++++]x", true },         { "^Hello,? (World|you){1,3}!$", true },
		{ "[0-9]+ [0-9]+ [0-9]+ [0-9]+ [0-9]+ [0-9]+ [0-9]+ [0-9]+ [0-9]+ [0-9]+ [0-9]+", true },
		{ "\\+\\+\\+\\+\\+\\+\\+\\+\\+\\+\\+\\+\\+\\+\\+", true },
		{ "[a", false },                               { "a\\", false },
		{ "", true },                                  { "(", false },
	};
	char wrong[REGEX_WRONG_SIZE];
	size_t i;

	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		if (regex_check(table[i].pattern, wrong) != table[i].good)
			print_error("of this pattern: %s\n", table[i].pattern);
		assert_int_equal(regex_check(table[i].pattern, wrong), table[i].good);
	}
}

static void a_hundred_errors_are_enough(void **state)
{
	struct config_findings findings;
	char text[8192] = "";
	size_t used = 0;
	int i;

	for (i = 0; i < 150; i++)
		used += (size_t)snprintf(text + used, sizeof text - used, "zzzzzzz%d: 1\n", i);
	assert_int_equal(parse(text, used, &findings), -EINVAL);
	assert_int_equal(findings.count, 101);
	assert_string_equal(findings.lines[100], "openbell.yaml: and 50 more");
	config_findings_free(&findings);
}

/* The bomb of nested aliases: refused at its first alias, expanded never. */
static void a_billion_laughs_stay_one(void **state)
{
	static const char text[] = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nfleet: web\n";
	struct config_findings findings;

	assert_int_equal(parse(text, strlen(text), &findings), -EINVAL);
	assert_non_null(strstr(findings.lines[2], "2:8: an alias (*a) can't be used here"));
	config_findings_free(&findings);
}

static void secrets_stay_out_of_messages(void **state)
{
	static const char text[] = "mail: {password: hunter2, smtp: \"smtp://u:hunter2@h\", from: a@b, to: a@b}\n"
				   "notify: {webhook: \"ftp://x/hunter2\"}\nweb: {token: hunter2}\n";
	struct config_findings findings;
	size_t i;

	assert_int_equal(parse(text, strlen(text), &findings), -EINVAL);
	assert_int_equal(findings.count, 4);
	for (i = 0; i < findings.count; i++)
		assert_null(strstr(findings.lines[i], "hunter2"));
	config_findings_free(&findings);
}

static void text_that_is_not_utf8_is_refused(void **state)
{
	static const char utf16[] = "\xff\xfe" "f\0l\0";
	static const char marked[] = "\xef\xbb\xbf" "flet: web\n";
	struct config_findings findings;

	assert_int_equal(parse(utf16, sizeof utf16, &findings), -EINVAL);
	assert_string_equal(findings.lines[0], "openbell.yaml:1:1: byte 0xff is not UTF-8 text");
	config_findings_free(&findings);
	assert_int_equal(parse(marked, strlen(marked), &findings), -EINVAL);
	assert_string_equal(findings.lines[0], "openbell.yaml:1:1: unknown key \"flet\", did you mean \"fleet\"?");
	config_findings_free(&findings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_are_told),
		cmocka_unit_test(warnings_are_no_errors),
		cmocka_unit_test(what_is_right_is_silent),
		cmocka_unit_test(regular_expressions_are_bounded),
		cmocka_unit_test(a_hundred_errors_are_enough),
		cmocka_unit_test(a_billion_laughs_stay_one),
		cmocka_unit_test(secrets_stay_out_of_messages),
		cmocka_unit_test(text_that_is_not_utf8_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
