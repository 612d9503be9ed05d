// SPDX-License-Identifier: Apache-2.0
// Texts out of the JSON that the database keeps.

package import Diagnostics
package import JSON
package import PostgreSQL

/// Reads texts out of kept JSON.
package enum JSONTexts {
    /// Members of an object, those that are no texts left out.
    package static func object(_ json: JSONText) -> [String: String] {
        parse(json).map(texts) ?? [:]
    }

    /// The same of each object of a list.
    package static func objects(_ json: JSONText) -> [[String: String]] {
        list(json).map(texts)
    }

    /// Items of a list.
    package static func list(_ json: JSONText) -> [JSONNode] {
        parse(json)?.items ?? []
    }

    private static func parse(_ json: JSONText) -> JSONNode? {
        try? JSONParser.parse(Array(json.text.utf8))
    }

    private static func texts(_ node: JSONNode) -> [String: String] {
        guard case .object(let members) = node else { return [:] }
        return Dictionary(members.compactMap { member in member.value.text.map { (member.key, $0) } }) { $1 }
    }
}

extension JSONNode {
    /// Items of a list; none of anything else.
    package var items: [JSONNode] { if case .array(let items) = self { items } else { [] } }
}

extension Diagnostic {
    /// An error as runs and jobs keep it; nil for an object without a code.
    package init?(kept json: JSONText) {
        var facts = JSONTexts.object(json)
        guard let code = facts.removeValue(forKey: "code") else { return nil }
        self.init(code: code, facts: facts, place: Place(file: facts["file"]))
    }
}

extension RunSummary {
    /// Why it failed.
    package var failure: Diagnostic? { error.flatMap { Diagnostic(kept: $0) } }
}

extension RunArtifact {
    /// What was noticed about the file as a whole.
    package var warnings: [Diagnostic] {
        JSONTexts.objects(findings).map { facts in
            Diagnostic(
                code: facts["code"] ?? "", facts: facts, place: Place(file: name),
                severity: facts["severity"].flatMap(Diagnostic.Severity.init) ?? .warning)
        }
    }
}

extension QuarantinedRecord {
    /// The reason with its place.
    package var reason: Diagnostic {
        Diagnostic(
            code: code, facts: JSONTexts.object(facts),
            place: Place(file: file, line: line, field: field, value: value))
    }
}
