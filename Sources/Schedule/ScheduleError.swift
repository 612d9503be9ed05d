// SPDX-License-Identifier: Apache-2.0
// Why a schedule is refused.

package import Diagnostics

/// A schedule that means nothing.
package struct ScheduleError: ReportableError {
    /// Stable codes; each has its texts in the message catalogue.
    package enum Code: String, CaseIterable, Sendable {
        case fieldCount = "CRON-FIELDS"
        case value = "CRON-VALUE"
        case never = "CRON-NEVER"
        case zone = "CRON-ZONE"
    }

    package let diagnostic: Diagnostic

    /// The error that a diagnostic describes.
    package init(_ diagnostic: Diagnostic) {
        self.diagnostic = diagnostic
    }
}
