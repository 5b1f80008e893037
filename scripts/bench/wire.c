/*
 * Moves messages over TCP on the loopback interface with plain sockets, both ends in one thread as Node has them. For each
 * line with a number of messages on stdin it prints the processor time that they took, in microseconds.
 * Argument: bytes of a message. Compiled by scripts/bench/c-program.ts.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_BYTES = 256 * 1024 };

static double processor_us(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
         (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

static int connect_pair(int ends[2]) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int listening = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  if (listening < 0 || bind(listening, (struct sockaddr *)&address, length) != 0) return -1;
  if (listen(listening, 1) != 0 || getsockname(listening, (struct sockaddr *)&address, &length) != 0) return -1;
  ends[0] = socket(AF_INET, SOCK_STREAM, 0);
  if (ends[0] < 0 || connect(ends[0], (struct sockaddr *)&address, length) != 0) return -1;
  ends[1] = accept(listening, NULL, NULL);
  close(listening);
  return ends[1] < 0 ? -1 : setsockopt(ends[0], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static int move(int ends[2], const char *message, char *buffer, size_t bytes) {
  size_t sent = 0, received = 0;
  while (received < bytes) {
    /* In pieces that are read again while they are in the core's cache. */
    size_t left = bytes - sent, piece = left < READ_BYTES ? left : READ_BYTES;
    ssize_t out = piece > 0 ? send(ends[0], message + sent, piece, MSG_DONTWAIT) : 0;
    if (out > 0) sent += (size_t)out;
    ssize_t in = recv(ends[1], buffer, READ_BYTES, MSG_DONTWAIT);
    if (in > 0) received += (size_t)in;
    if (out > 0 || in > 0) continue;
    if (in == 0) return -1;
    struct pollfd waits[2] = {{ends[1], POLLIN, 0}, {ends[0], POLLOUT, 0}};
    if (poll(waits, sent < bytes ? 2 : 1, 1000) < 0) return -1;
  }
  return 0;
}

int main(int count, char **arguments) {
  size_t bytes = count > 1 ? (size_t)strtoull(arguments[1], NULL, 10) : 0;
  char *message = malloc(bytes), *buffer = malloc(READ_BYTES);
  int ends[2];
  if (bytes == 0 || message == NULL || buffer == NULL || connect_pair(ends) != 0) return 1;
  memset(message, 1, bytes);
  for (long messages; scanf("%ld", &messages) == 1;) {
    double begun = processor_us();
    for (long i = 0; i < messages; i++)
      if (move(ends, message, buffer, bytes) != 0) return 1;
    printf("%.0f\n", processor_us() - begun);
    fflush(stdout);
  }
  return 0;
}
