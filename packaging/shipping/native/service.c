/* A service for trying a folder where nothing but libc is: answers every request with its secret.
 *
 * As "migrate" it writes a file into the application's data and ends. GET /crash ends it.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _WIN32
#include <winsock2.h>
#define close closesocket
#else
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#endif

static int migrate(void)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/migrated", getenv("APP_DATA_DIR"));
    FILE *file = fopen(path, "w");
    return file == NULL || fputs("done\n", file) < 0 || fclose(file) != 0;
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "migrate") == 0)
        return migrate();
    if (argc > 1 && strcmp(argv[1], "check") == 0)
        return 0;
#ifdef _WIN32
    WSADATA data;
    WSAStartup(MAKEWORD(2, 2), &data);
#endif
    const char *port = getenv("PORT_HTTP"), *secret = getenv("SECRET");
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(atoi(port ? port : "0")),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
#ifndef _WIN32
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
#endif
    (void)on;
    if (bind(listener, (struct sockaddr *)&where, sizeof where) != 0 || listen(listener, 64) != 0) {
        perror("cannot listen");
        return 1;
    }
    printf("listening on %s\n", port);
    fflush(stdout);
    for (;;) {
        char request[4096], answer[1024];
        int client = accept(listener, NULL, NULL);
        int size = recv(client, request, sizeof request - 1, 0);
        if (size <= 0) {
            close(client);
            continue;
        }
        request[size] = '\0';
        if (strncmp(request, "GET /crash", 10) == 0)
            return 3;
        const char *body = secret ? secret : "no secret";
        int length = snprintf(answer, sizeof answer,
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n"
            "Connection: close\r\n\r\n%s", (int)strlen(body), body);
        send(client, answer, length, 0);
        close(client);
    }
}
