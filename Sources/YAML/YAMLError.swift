// SPDX-License-Identifier: Apache-2.0
// What can be wrong with a YAML file that a person wrote.

package import Diagnostics

/// A fault in a YAML file.
package struct YAMLError: ReportableError {
    /// Stable codes; each has its texts in the message catalogue.
    package enum Code: String, CaseIterable, Sendable {
        case syntax = "YAML-SYNTAX"
        case feature = "YAML-FEATURE"
        case key = "YAML-KEY"
        case missing = "YAML-MISSING"
        case value = "YAML-VALUE"
    }

    package let diagnostic: Diagnostic

    /// The error that a diagnostic describes.
    package init(_ diagnostic: Diagnostic) {
        self.diagnostic = diagnostic
    }
}
