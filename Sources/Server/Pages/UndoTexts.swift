// SPDX-License-Identifier: Apache-2.0
// Why an undo leaves a row as it is, in words.

package import CRM
internal import Hub
package import Words

/// Says exceptions of undos.
package enum UndoTexts {
    /// The sentence of one.
    package static func text(_ exception: UndoException, _ words: Words) -> String {
        var facts = JSONTexts.object(exception.facts)
        facts["other"] = facts["id"]
        facts["table"] = words("table.\(exception.entity)")
        facts["id"] = exception.label.flatMap { $0.isEmpty ? nil : $0 } ?? String(exception.id)
        facts["by"] = facts["by"].map { words("table.\($0)") }
        return words("undo.reason.\(exception.reason)", facts)
    }
}
