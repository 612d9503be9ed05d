// SPDX-License-Identifier: Apache-2.0
// Why a file is not read.

package import Diagnostics

/// A file that cannot or must not be read.
package struct FileError: ReportableError {
    /// Stable codes; each has its texts in the message catalogue.
    package enum Code: String, CaseIterable, Sendable {
        case missing = "FILE-MISSING"
        case forbidden = "FILE-FORBIDDEN"
        case folder = "FILE-FOLDER"
        case link = "FILE-LINK"
        case special = "FILE-SPECIAL"
        case empty = "FILE-EMPTY"
        case tooLarge = "FILE-TOO-LARGE"
        case changed = "FILE-CHANGED"
        case unreadable = "FILE-UNREADABLE"
        case unwritable = "FILE-UNWRITABLE"
        case name = "FILE-NAME"
        case folderExpected = "FOLDER-EXPECTED"
        case openFolder = "FOLDER-OPEN"
    }

    package let diagnostic: Diagnostic

    /// The error that a diagnostic describes.
    package init(_ diagnostic: Diagnostic) {
        self.diagnostic = diagnostic
    }
}
