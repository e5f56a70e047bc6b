/* lazy.c: see lazy.h. */
#include "base/lazy.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LIBRARIES_MAX 32

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool loaded[LIBRARIES_MAX];

/* _exit: the caller stands in the middle of something, and handlers of atexit could call into the library again. */
static void give_up(const struct lazy_library *library, const char *problem)
{
	fflush(stdout);
	fprintf(stderr, "openbell: %s: apt-get install %s\n", problem, library->package);
	_exit(1);
}

static void load(const struct lazy_library *library)
{
	void *handle = dlopen(library->soname, RTLD_NOW | RTLD_LOCAL);
	const char *name;
	void **slot = library->slots;
	char problem[256];

	if (handle == NULL) {
		const char *error = dlerror();

		/* "libuv.so.1: cannot open shared object file: No such file or directory", or what else is wrong with it. */
		if (error == NULL || strstr(error, "No such file") != NULL)
			snprintf(problem, sizeof problem, "%s is not installed", library->soname);
		else
			snprintf(problem, sizeof problem, "%s can't be loaded (%s)", library->soname, error);
		give_up(library, problem);
	}
	for (name = library->names; *name != '\0'; name += strlen(name) + 1) {
		void *function = dlsym(handle, name);

		if (function == NULL) {
			snprintf(problem, sizeof problem, "%s has no %s, it is too old", library->soname, name);
			give_up(library, problem);
		}
		/* Pairs with the load in lazy.S: who sees the slot sees the library that was loaded before. */
		__atomic_store_n(slot++, function, __ATOMIC_RELEASE);
	}
}

void lazy_load(unsigned long library)
{
	int saved_errno = errno;

	pthread_mutex_lock(&lock);
	if (!loaded[library]) {
		load(&lazy_libraries[library]);
		loaded[library] = true;
	}
	pthread_mutex_unlock(&lock);
	errno = saved_errno;
}
