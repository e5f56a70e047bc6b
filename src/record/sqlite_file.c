/* sqlite_file.c: see sqlite_file.h. */
#define _GNU_SOURCE
#include "record/sqlite_file.h"

#include <ctype.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* Places in the header: https://www.sqlite.org/fileformat.html#the_database_header */
#define HEADER_PAGE_SIZE 16
#define HEADER_PAGE_COUNT 28
#define HEADER_USER_VERSION 60
#define HEADER_APPLICATION_ID 68

#define FULL_BYTES (64 * 1024)    /* less than this available is a full disk */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static const char *folder_name(const char *path, char *buffer, size_t size)
{
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return ".";
	snprintf(buffer, size, "%.*s", slash == path ? 1 : (int)(slash - path), path);
	return buffer;
}

static void set_code(struct failure *failure, const char *code)
{
	if (failure == NULL)
		return;
	snprintf(failure->service, sizeof failure->service, "sqlite");
	snprintf(failure->code, sizeof failure->code, "%s", code);
}

static int damaged(const char *path, const char *what, const char *code, struct failure *failure)
{
	const char *name = base_name(path);
	int r = failure_set(failure, EBADMSG, "the record %s is damaged (%s): move it away (mv %s %s.damaged); "
			    "openbell goes on in a new one and writes what it kept", path, what, name, name);

	set_code(failure, code);
	return r;
}

static uint32_t big_endian(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static int check_header(sqlite3_file *file, const char *path, struct failure *failure)
{
	unsigned char header[SQLITE_FILE_HEADER_BYTES];
	const char *name = base_name(path);
	uint32_t version;

	if (file->pMethods->xRead(file, header, sizeof header, 0) != SQLITE_OK ||
	    memcmp(header, "SQLite format 3", 16) != 0)
		return damaged(path, "it is not a database", "SQLITE_NOTADB", failure);
	if (big_endian(header + HEADER_APPLICATION_ID) != SQLITE_FILE_APPLICATION_ID)
		return failure_set(failure, EMEDIUMTYPE, "%s is another program's database, which openbell does not "
				   "touch: move it away (mv %s %s.other) or give openbell another `state` folder",
				   path, name, name);
	version = big_endian(header + HEADER_USER_VERSION);
	if (version != SQLITE_FILE_VERSION)
		return failure_set(failure, EPROTONOSUPPORT, "the record %s was written by %s openbell (its version is "
				   "%u, this one writes %d): use that one, or move the file away (mv %s %s.%u)", path,
				   version > SQLITE_FILE_VERSION ? "a newer" : "another", version, SQLITE_FILE_VERSION,
				   name, name, version);
	return 0;
}

static sqlite3_file *file_of(sqlite3 *db)
{
	sqlite3_file *file = NULL;

	sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
	return file != NULL && file->pMethods != NULL ? file : NULL;
}

int sqlite_file_check(sqlite3 *db, const char *path, struct failure *failure)
{
	sqlite3_file *file = file_of(db);

	if (file == NULL)
		return failure_set(failure, EIO, "%s can't be looked at", path);
	return check_header(file, path, failure);
}

int64_t sqlite_file_bytes(sqlite3 *db)
{
	sqlite3_file *file = file_of(db);
	sqlite3_int64 bytes;

	return file != NULL && file->pMethods->xFileSize(file, &bytes) == SQLITE_OK ? bytes : 0;
}

int64_t sqlite_file_bytes_promised(sqlite3 *db)
{
	unsigned char header[SQLITE_FILE_HEADER_BYTES];
	sqlite3_file *file = file_of(db);
	int64_t page_bytes;

	if (file == NULL || file->pMethods->xRead(file, header, sizeof header, 0) != SQLITE_OK)
		return 0;
	page_bytes = header[HEADER_PAGE_SIZE] << 8 | header[HEADER_PAGE_SIZE + 1];
	if (page_bytes == 1)
		page_bytes = 65536;
	return page_bytes * big_endian(header + HEADER_PAGE_COUNT);
}

char *sqlite_file_uri(const char *path, const char *query)
{
	static const char digits[] = "0123456789ABCDEF";
	char *uri = malloc(strlen(path) * 3 + strlen(query) + sizeof "file:");
	char *p = uri;

	if (uri == NULL)
		return NULL;
	p = stpcpy(p, "file:");
	for (; *path != '\0'; path++) {
		unsigned char c = (unsigned char)*path;

		if (isalnum(c) || strchr("/-._~", c) != NULL) {
			*p++ = (char)c;
			continue;
		}
		*p++ = '%';
		*p++ = digits[c >> 4];
		*p++ = digits[c & 15];
	}
	strcpy(p, query);
	return uri;
}

static int check_folder(const char *path, struct failure *failure)
{
	char buffer[512];
	const char *folder = folder_name(path, buffer, sizeof buffer);
	struct stat info;

	if (stat(folder, &info) == 0 && S_ISDIR(info.st_mode))
		return 0;
	return failure_set(failure, ENOENT, "the folder of the record, %s, is gone: create it again (mkdir -p %s), "
			   "then openbell writes what it kept", folder, folder);
}

int sqlite_file_identify(const char *path, bool *ret_exists, struct failure *failure)
{
	sqlite3 *db = NULL;
	struct stat info;
	char *uri;
	int r;

	if (stat(path, &info) < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			return failure_set(failure, errno, "the record %s can't be opened: %s", path, strerror(errno));
		r = check_folder(path, failure);
		if (r == 0)
			*ret_exists = false;
		return r;
	}
	if (!S_ISREG(info.st_mode))
		return failure_set(failure, EISDIR, "%s should be the record's file and is none: move it away (mv %s "
				   "%s.other)", path, base_name(path), base_name(path));
	if (info.st_size == 0) {
		*ret_exists = false;
		return 0;
	}
	uri = sqlite_file_uri(path, "?immutable=1");
	if (uri == NULL)
		return failure_set(failure, ENOMEM, "no memory");
	r = sqlite3_open_v2(uri, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL);
	r = r == SQLITE_OK ? sqlite_file_check(db, path, failure) : sqlite_file_failure(db, r, path, failure);
	sqlite3_close(db);
	free(uri);
	if (r == 0)
		*ret_exists = true;
	return r;
}

static bool means_full(int error)
{
	return error == ENOSPC || error == EDQUOT || error == EFBIG;
}

/* SQLite says "full" for ENOSPC only, and keeps no number after a failed COMMIT: errno still has it. */
static bool disk_is_full(const char *path, int system_errno, int last_errno)
{
	char buffer[512];
	struct statvfs info;

	if (means_full(system_errno) || means_full(last_errno))
		return true;
	return statvfs(folder_name(path, buffer, sizeof buffer), &info) == 0 &&
	       (uint64_t)info.f_bavail * info.f_frsize < FULL_BYTES;
}

static int no_space(const char *path, struct failure *failure)
{
	return failure_set(failure, ENOSPC, "no space for the record %s: free some on its disk, then openbell writes "
			   "what it kept", path);
}

static const char *code_name(int rc)
{
	static const char *const names[] = {
		[SQLITE_ERROR] = "SQLITE_ERROR", [SQLITE_PERM] = "SQLITE_PERM", [SQLITE_BUSY] = "SQLITE_BUSY",
		[SQLITE_LOCKED] = "SQLITE_LOCKED", [SQLITE_NOMEM] = "SQLITE_NOMEM",
		[SQLITE_READONLY] = "SQLITE_READONLY", [SQLITE_IOERR] = "SQLITE_IOERR",
		[SQLITE_CORRUPT] = "SQLITE_CORRUPT", [SQLITE_FULL] = "SQLITE_FULL",
		[SQLITE_CANTOPEN] = "SQLITE_CANTOPEN", [SQLITE_CONSTRAINT] = "SQLITE_CONSTRAINT",
		[SQLITE_NOTADB] = "SQLITE_NOTADB",
	};
	size_t primary = (size_t)(rc & 0xff);

	return primary < sizeof names / sizeof names[0] && names[primary] != NULL ? names[primary] : "";
}

int sqlite_file_failure(sqlite3 *db, int rc, const char *path, struct failure *failure)
{
	int last_errno = errno;
	int system_errno = db != NULL ? sqlite3_system_errno(db) : 0;
	const char *said = db != NULL ? sqlite3_errmsg(db) : sqlite3_errstr(rc);
	const char *code = code_name(rc);
	int r;

	switch (rc & 0xff) {
	case SQLITE_CORRUPT:
		return damaged(path, "it was cut short or overwritten", code, failure);
	case SQLITE_NOTADB:
		return damaged(path, "it is not a database", code, failure);
	case SQLITE_ERROR:
		/* Every statement is our own: what can fail so is a table or a column that somebody changed. */
		return damaged(path, said, code, failure);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		r = failure_set(failure, EBUSY, "the record %s is locked by another program: `fuser %s` names it; "
				"openbell goes on when it lets go", path, path);
		break;
	case SQLITE_FULL:
	case SQLITE_IOERR:
		if ((rc & 0xff) == SQLITE_FULL || disk_is_full(path, system_errno, last_errno))
			r = no_space(path, failure);
		else
			r = failure_set(failure, EIO, "the record %s can't be read or written: %s", path,
					system_errno != 0 ? strerror(system_errno) : said);
		break;
	case SQLITE_NOMEM:
		r = failure_set(failure, ENOMEM, "no memory for the record %s", path);
		break;
	case SQLITE_PERM:
	case SQLITE_READONLY:
		r = failure_set(failure, EACCES, "the record %s may not be written by this user, or its disk is "
				"read-only: %s", path, said);
		break;
	case SQLITE_CANTOPEN:
		if (disk_is_full(path, system_errno, last_errno))
			r = no_space(path, failure);
		else
			r = failure_set(failure, system_errno != 0 ? system_errno : EACCES, "the record %s, or a file "
					"beside it, can't be opened: %s", path,
					system_errno != 0 ? strerror(system_errno) : said);
		break;
	default:
		r = failure_set(failure, EIO, "the record %s: %s", path, said);
	}
	set_code(failure, code);
	return r;
}
