/* In an interpreter that counts: writes its counters into the folder COUNTS when it ends.
 *
 * A file has five numbers of 64 bits (size and address of the records, size and address of the
 * counters, size of the names), and then the three sections as the compiler laid them out.
 * shipping/counters.py reads it. The runtime ends by os._exit, so _exit is replaced here. A forked
 * child starts at nothing, so that nothing is counted twice.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char __start___llvm_prf_data[], __stop___llvm_prf_data[];
extern char __start___llvm_prf_cnts[], __stop___llvm_prf_cnts[];
extern char __start___llvm_prf_names[], __stop___llvm_prf_names[];
#define SECTION(name) __start___llvm_prf_##name, size_of(__start___llvm_prf_##name, __stop___llvm_prf_##name)

static pid_t owner; /* a child of vfork writes nothing: its memory is its parent's */

static uint64_t size_of(const char *from, const char *to)
{
    return (uint64_t)(to - from);
}

static void put(int file, const char *from, uint64_t size)
{
    while (size > 0) {
        ssize_t done = write(file, from, size);
        if (done <= 0)
            return;
        from += done;
        size -= (uint64_t)done;
    }
}

__attribute__((destructor)) static void write_counters(void)
{
    char path[4096];
    if (getpid() != owner)
        return;
    owner = 0;
    snprintf(path, sizeof path, COUNTS "/%ld-XXXXXX", (long)getpid());
    int file = mkstemp(path);
    if (file < 0)
        return;
    uint64_t numbers[] = {
        size_of(__start___llvm_prf_data, __stop___llvm_prf_data), (uint64_t)__start___llvm_prf_data,
        size_of(__start___llvm_prf_cnts, __stop___llvm_prf_cnts), (uint64_t)__start___llvm_prf_cnts,
        size_of(__start___llvm_prf_names, __stop___llvm_prf_names),
    };
    put(file, (const char *)numbers, sizeof numbers);
    put(file, SECTION(data));
    put(file, SECTION(cnts));
    put(file, SECTION(names));
    close(file);
}

static void start_at_nothing(void)
{
    owner = getpid();
    memset(__start___llvm_prf_cnts, 0, size_of(__start___llvm_prf_cnts, __stop___llvm_prf_cnts));
}

__attribute__((constructor)) static void begin(void)
{
    owner = getpid();
    pthread_atfork(NULL, NULL, start_at_nothing);
}

void _exit(int code)
{
    write_counters();
    for (;;)
        syscall(SYS_exit_group, code);
}
