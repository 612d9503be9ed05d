// SPDX-License-Identifier: Apache-2.0
// PCRE2 for 8-bit (UTF-8) subjects; its functions are macros, so they are given plain names here.
#pragma once
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

static const uint32_t relais_pcre2_options = PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C;

static inline pcre2_code_8 *relais_pcre2_compile(
    const uint8_t *pattern, size_t length, int *error, size_t *offset) {
    return pcre2_compile_8(pattern, length, relais_pcre2_options, error, offset, NULL);
}
