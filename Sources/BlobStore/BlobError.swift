// SPDX-License-Identifier: Apache-2.0
// Why bytes are not kept.

package import Diagnostics

/// Bytes that the store could not take.
package struct BlobError: ReportableError {
    /// Stable codes; each has its texts in the message catalogue.
    package enum Code: String, CaseIterable, Sendable {
        case unwritable = "BLOB-UNWRITABLE"
    }

    package let diagnostic: Diagnostic

    /// The error that a diagnostic describes.
    package init(_ diagnostic: Diagnostic) {
        self.diagnostic = diagnostic
    }
}
