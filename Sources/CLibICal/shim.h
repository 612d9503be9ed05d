// SPDX-License-Identifier: Apache-2.0
// libical's iterator over recurrence rules; nothing else of the library is used.
#pragma once
#include <libical/ical.h>

// The library's default is to end the process.
static inline void relais_ical_prepare(void) {
    icalerror_set_errors_are_fatal(0);
}

// The times of a rule from a time on. The rule is passed by value: it has a thousand bytes of arrays.
static inline icalrecur_iterator *relais_ical_begin(const char *rule, const char *start) {
    struct icalrecurrencetype parsed = icalrecurrencetype_from_string(rule);
    struct icaltimetype first = icaltime_from_string(start);
    if (parsed.freq == ICAL_NO_RECURRENCE || icaltime_is_null_time(first)) return NULL;
    return icalrecur_iterator_new(parsed, first);
}

// The next time as year, month, day, hour, minute, second; 0 at the end.
static inline int relais_ical_next(icalrecur_iterator *iterator, int parts[6]) {
    struct icaltimetype next = icalrecur_iterator_next(iterator);
    if (icaltime_is_null_time(next)) return 0;
    parts[0] = next.year;
    parts[1] = next.month;
    parts[2] = next.day;
    parts[3] = next.hour;
    parts[4] = next.minute;
    parts[5] = next.second;
    return 1;
}
