// SPDX-License-Identifier: Apache-2.0
// libpq, PostgreSQL's C client library.
#pragma once
#include <libpq-fe.h>

// Character macros do not reach Swift.
static const int relais_diag_sqlstate = PG_DIAG_SQLSTATE;
static const int relais_diag_message = PG_DIAG_MESSAGE_PRIMARY;
static const int relais_diag_hint = PG_DIAG_MESSAGE_HINT;
static const int relais_diag_constraint = PG_DIAG_CONSTRAINT_NAME;
