// SPDX-License-Identifier: Apache-2.0
// libcurl, with names for its variadic calls, which Swift cannot make.
#pragma once
#include <curl/curl.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef size_t (*relais_curl_data)(char *bytes, size_t size, size_t count, void *context);
typedef int (*relais_curl_progress)(
    void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up);
typedef int (*relais_curl_host_key)(void *context, int type, const char *key, size_t length);

static inline CURLcode relais_curl_set_text(CURL *handle, CURLoption option, const char *value) {
    return (curl_easy_setopt)(handle, option, value);
}

static inline CURLcode relais_curl_set_number(CURL *handle, CURLoption option, long value) {
    return (curl_easy_setopt)(handle, option, value);
}

static inline CURLcode relais_curl_set_size(CURL *handle, CURLoption option, curl_off_t value) {
    return (curl_easy_setopt)(handle, option, value);
}

static inline CURLcode relais_curl_set_pointer(CURL *handle, CURLoption option, void *value) {
    return (curl_easy_setopt)(handle, option, value);
}

static inline CURLcode relais_curl_set_list(CURL *handle, CURLoption option, struct curl_slist *value) {
    return (curl_easy_setopt)(handle, option, value);
}

static inline CURLcode relais_curl_set_data(CURL *handle, CURLoption option, relais_curl_data function) {
    return (curl_easy_setopt)(handle, option, function);
}

static inline CURLcode relais_curl_set_progress(CURL *handle, relais_curl_progress function) {
    return (curl_easy_setopt)(handle, CURLOPT_XFERINFOFUNCTION, function);
}

static inline CURLcode relais_curl_set_host_key(CURL *handle, relais_curl_host_key function) {
    return (curl_easy_setopt)(handle, CURLOPT_SSH_HOSTKEYFUNCTION, function);
}

static inline CURLcode relais_curl_number(CURL *handle, CURLINFO info, long *value) {
    return (curl_easy_getinfo)(handle, info, value);
}

static inline CURLcode relais_curl_size(CURL *handle, CURLINFO info, curl_off_t *value) {
    return (curl_easy_getinfo)(handle, info, value);
}

// Macros with casts, which Swift does not see.
static const long relais_curl_ssh_key = CURLSSH_AUTH_PUBLICKEY;
static const long relais_curl_ssh_password = CURLSSH_AUTH_PASSWORD | CURLSSH_AUTH_KEYBOARD;
static const long relais_curl_http_auth = (long)(CURLAUTH_BASIC | CURLAUTH_DIGEST);
static const long relais_curl_tls_1_2 = (long)CURL_SSLVERSION_TLSv1_2 | (long)CURL_SSLVERSION_MAX_TLSv1_2;
static const size_t relais_curl_abort = CURL_READFUNC_ABORT;

// A file that is only in memory, closed on exec; -1 and errno on failure. glibc's own function needs _GNU_SOURCE, which
// would make this module's idea of fd_set another than that of the rest.
static inline int relais_memory_file(void) {
    return (int)syscall(SYS_memfd_create, "relais", 1U);
}
