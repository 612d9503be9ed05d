// SPDX-License-Identifier: Apache-2.0
// Findings as JSON, in the words of the command's language.

internal import Diagnostics
internal import Hub
internal import Words

extension JSONValue {
    /// Code, message, hint and place.
    init(_ diagnostic: Diagnostic) {
        self.init(diagnostic, message: words.message(diagnostic), hint: words.hint(diagnostic))
    }
}
