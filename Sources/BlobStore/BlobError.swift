// SPDX-License-Identifier: Apache-2.0
// Why bytes are not kept, or no longer.

package import Diagnostics

/// Bytes that the store could not take, or has lost.
package struct BlobError: ReportableError {
    /// Stable codes; each has its texts in the message catalogue.
    package enum Code: String, CaseIterable, Sendable {
        case unwritable = "BLOB-UNWRITABLE"
        case gone = "BLOB-GONE"
    }

    package let diagnostic: Diagnostic

    /// The error that a diagnostic describes.
    package init(_ diagnostic: Diagnostic) {
        self.diagnostic = diagnostic
    }
}
