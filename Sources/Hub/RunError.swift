// SPDX-License-Identifier: Apache-2.0
// What can be wrong with a request that names a run, a quarantined record or a case.

package import Diagnostics

/// A request that names nothing, or what cannot be done with it.
package struct RunError: ReportableError {
    /// Stable codes; each has its texts in the message catalogue.
    package enum Code: String, CaseIterable, Sendable {
        case unknown = "RUN-UNKNOWN"
        case running = "RUN-RUNNING"
        case stopped = "RUN-STOPPED"
        case undone = "RUN-UNDONE"
        case sent = "RUN-SENT"
        case forgotten = "RUN-FORGOTTEN"
        case superseded = "RUN-SUPERSEDED"
        case quarantineUnknown = "QUARANTINE-UNKNOWN"
        case nothingToReplay = "QUARANTINE-NOTHING"
        case caseUnknown = "MATCH-CASE-UNKNOWN"
    }

    package let diagnostic: Diagnostic

    /// The error that a diagnostic describes.
    package init(_ diagnostic: Diagnostic) {
        self.diagnostic = diagnostic
    }
}
