// SPDX-License-Identifier: Apache-2.0
// libxml2's SAX2 push parser. Debian builds libxml2 with ICU, whose headers clash with Foundation's.
#pragma once
#include <libxml/xmlversion.h>
#undef LIBXML_ICU_ENABLED
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/SAX2.h>
#include <libxml/dict.h>
#include <libxml/xmlerror.h>

static void relais_xml_say_nothing(void *context, const char *message, ...) {
    (void)context;
    (void)message;
}

// Encoding errors of push parsers go to a variadic function, which Swift cannot make, and would be printed.
static inline void relais_xml_silence(void) {
    xmlSetGenericErrorFunc(NULL, relais_xml_say_nothing);
}
