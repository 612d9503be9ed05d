// SPDX-License-Identifier: Apache-2.0
// What can be wrong with a request about a source of data.

package import Diagnostics

/// A source that cannot be added, named or believed as asked.
package struct SourceError: ReportableError {
    /// Stable codes; each has its texts in the message catalogue.
    package enum Code: String, CaseIterable, Sendable {
        case code = "SOURCE-CODE"
        case name = "SOURCE-NAME"
        case kind = "SOURCE-KIND"
        case trust = "SOURCE-TRUST"
        case same = "SOURCE-SAME"
        case taken = "SOURCE-TAKEN"
        case unknown = "SOURCE-UNKNOWN"
        case people = "SOURCE-PEOPLE"
        case used = "SOURCE-USED"
    }

    package let diagnostic: Diagnostic

    /// The error that a diagnostic describes.
    package init(_ diagnostic: Diagnostic) {
        self.diagnostic = diagnostic
    }
}
