// SPDX-License-Identifier: Apache-2.0
// libarchive: reads ZIP and gzip as streams.
#pragma once
#include <archive.h>
#include <archive_entry.h>
