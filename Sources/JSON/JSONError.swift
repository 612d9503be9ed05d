// SPDX-License-Identifier: Apache-2.0
// Why JSON is refused.

package import Diagnostics

/// JSON that is malformed or passes one of our limits.
package struct JSONError: ReportableError {
    /// Stable codes; each has its texts in the message catalogue.
    package enum Code: String, CaseIterable, Sendable {
        case malformed = "JSON-MALFORMED"
        case duplicateKey = "JSON-DUPLICATE-KEY"
        case truncated = "JSON-TRUNCATED"
        case encoding = "JSON-ENCODING"
        case depth = "JSON-DEPTH"
        case record = "JSON-RECORD"
    }

    package let diagnostic: Diagnostic

    /// The error that a diagnostic describes.
    package init(_ diagnostic: Diagnostic) {
        self.diagnostic = diagnostic
    }
}
