/*
 * lazy.h: shared libraries that are loaded when a function of theirs is called for the first time.
 *
 * openbell is linked without its libraries.  scripts/lazy-link lists the functions that its objects take from each
 * library, and lazy.S gives each of these names a trampoline: a jump through a slot.  A slot leads to the library's
 * entry stub until the first call of any of its functions; from then on to the function itself.  So `openbell
 * --version` maps nothing but libc, and the callers, which include <uv.h> or <sqlite3.h> as usual, know nothing of it.
 * A function's address (json_decref handed to a destructor) is its trampoline's.
 */
#ifndef BASE_LAZY_H
#define BASE_LAZY_H

/* A library as lazy.S lays it out; the tables end with a soname of NULL. */
struct lazy_library {
	const char *soname;
	const char *package; /* the Debian package that brings it */
	const char *names;   /* its functions, one NUL-terminated string behind the other; an empty one ends them */
	void **slots;        /* one for each name, in the same order */
};

extern const struct lazy_library lazy_libraries[] __attribute__((visibility("hidden")));

/*
 * Load the library and point all its slots at its functions: one look-up of all of them, so that a library that is too
 * old is found at once and no slot is written later.  Called by lazy.S on any thread, with errno and the caller's
 * registers kept; a second call does nothing.  A library or a function that is missing ends the program: exit status
 * 1, and a message that says what to install.
 */
void lazy_load(unsigned long library) __attribute__((visibility("hidden")));

#endif
