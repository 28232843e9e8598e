/* The program that a shell starts on POSIX: becomes the interpreter beside it, in the role that it
 * was compiled for (ROLE, "runtime" or "runtimectl").
 *
 * It is a program of its own, and not a link to the interpreter, because folders are copied by tools
 * that turn links into copies. exec keeps the process: the shell's child is the runtime itself. The
 * interpreter is told its role by argv[0], which is this program's real path; what the user gave
 * stands in the process list as given.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __APPLE__
#include <mach-o/dyld.h>
#endif

static int own_path(char *path, size_t room)
{
#ifdef __APPLE__
    char raw[PATH_MAX];
    uint32_t size = sizeof raw;
    (void)room;
    return _NSGetExecutablePath(raw, &size) == 0 && realpath(raw, path) != NULL;
#else
    ssize_t length = readlink("/proc/self/exe", path, room - 1);
    if (length <= 0)
        return 0;
    path[length] = '\0';
    return 1;
#endif
}

int main(int argc, char **argv)
{
    static char self[PATH_MAX], role[PATH_MAX + 16], interpreter[PATH_MAX + 16];
    (void)argc;
    if (!own_path(self, sizeof self)) {
        fprintf(stderr, ROLE ": cannot find out where this program lies: %s\n", strerror(errno));
        return 127;
    }
    *strrchr(self, '/') = '\0';
    snprintf(role, sizeof role, "%s/" ROLE, self);
    snprintf(interpreter, sizeof interpreter, "%s/lib/python", self);
    argv[0] = role;
    execv(interpreter, argv);
    fprintf(stderr, ROLE ": cannot start %s: %s; the folder is incomplete, install it again\n",
            interpreter, strerror(errno));
    return 127;
}
