// SPDX-License-Identifier: Apache-2.0
// Why a secret cannot be used.

package import Diagnostics

/// A secret that cannot be kept or opened.
package struct SecretError: ReportableError {
    /// Stable codes; each has its texts in the message catalogue.
    package enum Code: String, CaseIterable, Sendable {
        case unknown = "SECRET-UNKNOWN"
        case name = "SECRET-NAME"
        case empty = "SECRET-EMPTY"
        case inUse = "SECRET-IN-USE"
        case keyMissing = "SECRET-KEY-MISSING"
        case key = "SECRET-KEY"
        case locked = "SECRET-LOCKED"
        case damaged = "SECRET-DAMAGED"
    }

    package let diagnostic: Diagnostic

    /// The error that a diagnostic describes.
    package init(_ diagnostic: Diagnostic) {
        self.diagnostic = diagnostic
    }
}
