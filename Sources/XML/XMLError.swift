// SPDX-License-Identifier: Apache-2.0
// Why an XML file is refused.

package import Diagnostics

/// An XML document that is not well-formed or passes one of our limits.
package struct XMLError: ReportableError {
    /// Stable codes; each has its texts in the message catalogue.
    package enum Code: String, CaseIterable, Sendable {
        case malformed = "XML-MALFORMED"
        case empty = "XML-EMPTY"
        case truncated = "XML-TRUNCATED"
        case encoding = "XML-ENCODING"
        case doctype = "XML-DOCTYPE"
        case depth = "XML-DEPTH"
        case text = "XML-TEXT"
        case attributes = "XML-ATTRIBUTES"
        case record = "XML-RECORD"
        case elements = "XML-ELEMENTS"
        case memory = "XML-MEMORY"
        case invalidCharacter = "XML-INVALID-CHARACTER"
    }

    package let diagnostic: Diagnostic

    /// The error that a diagnostic describes.
    package init(_ diagnostic: Diagnostic) {
        self.diagnostic = diagnostic
    }
}
