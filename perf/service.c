/* A service that costs next to nothing: it records, on CLOCK_MONOTONIC, when its main() began, when
 * it listened and which signal ended it, and answers every request with 200.
 *
 *     service --id NAME --record FILE [--delay-ms D] [--port P]
 *
 * Each record is one appended line: EVENT NAME PID NANOSECONDS. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 64 };

static const char *id = "service";
static int record = -1;

static long long now_ns(void) {
#ifdef __APPLE__
    return (long long)clock_gettime_nsec_np(CLOCK_UPTIME_RAW); /* what Python's clock reads there */
#else
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000000000LL + t.tv_nsec;
#endif
}

/* Only calls that a signal handler may make. */
static char *put_text(char *at, const char *text) {
    while (*text) *at++ = *text++;
    return at;
}

static char *put_number(char *at, long long number) {
    char digits[24];
    int count = 0;
    do digits[count++] = (char)('0' + number % 10); while ((number /= 10) > 0);
    while (count) *at++ = digits[--count];
    return at;
}

static void note(const char *event, long long when) {
    char line[400], *at = line;
    at = put_text(at, event);
    *at++ = ' ';
    at = put_text(at, id);
    *at++ = ' ';
    at = put_number(at, getpid());
    *at++ = ' ';
    at = put_number(at, when);
    *at++ = '\n';
    if (record >= 0 && write(record, line, (size_t)(at - line)) < 0) _exit(3);
}

static void on_signal(int number) {
    (void)number;
    note("stop", now_ns());
    _exit(0);
}

static int listen_on(int port) {
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_port = htons((unsigned short)port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 128) < 0) {
        fprintf(stderr, "service '%s': cannot listen on 127.0.0.1:%d: %s\n", id, port, strerror(errno));
        exit(1);
    }
    return fd;
}

/* Whole request heads are assumed to come in one piece, as the probes of loopback clients do. */
static void serve(int listener) {
    static const char answer[] =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"status\":\"ok\"}";
    struct pollfd fds[CONNECTIONS + 1];
    int count = 1;
    char request[4096];
    fds[0].fd = listener;
    for (;;) {
        for (int i = 0; i < count; i++) fds[i].events = POLLIN;
        if (count > CONNECTIONS) fds[0].events = 0;
        if (poll(fds, (nfds_t)count, -1) < 0) continue;
        for (int i = count - 1; i > 0; i--) {
            if (!fds[i].revents) continue;
            if (read(fds[i].fd, request, sizeof request) > 0 &&
                send(fds[i].fd, answer, sizeof answer - 1, 0) > 0) continue;
            close(fds[i].fd);
            fds[i] = fds[--count];
        }
        if (fds[0].revents) {
            int fd = accept(listener, NULL, NULL);
            if (fd >= 0) {
                fds[count].revents = 0;
                fds[count++].fd = fd;
            }
        }
    }
}

int main(int argc, char **argv) {
    long long began = now_ns();
    int delay_ms = 0, port = 0;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--id")) id = argv[i + 1];
        else if (!strcmp(argv[i], "--record")) record = open(argv[i + 1], O_WRONLY | O_CREAT | O_APPEND, 0600);
        else if (!strcmp(argv[i], "--delay-ms")) delay_ms = atoi(argv[i + 1]);
        else if (!strcmp(argv[i], "--port")) port = atoi(argv[i + 1]);
    }
    if (strlen(id) > 300) return 2;
    note("start", began);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    struct timespec delay = {delay_ms / 1000, (delay_ms % 1000) * 1000000L};
    nanosleep(&delay, NULL);
    if (!port) {
        for (;;) pause();
    }
    int listener = listen_on(port);
    note("listen", now_ns());
    serve(listener);
}
