// SPDX-License-Identifier: Apache-2.0
// Texts out of the JSON that the database keeps.

internal import Diagnostics
internal import JSON
internal import PostgreSQL

/// Reads texts out of kept JSON.
enum JSONTexts {
    /// Members of an object, those that are no texts left out.
    static func object(_ json: JSONText) -> [String: String] {
        parse(json).map(texts) ?? [:]
    }

    /// The same of each object of a list.
    static func objects(_ json: JSONText) -> [[String: String]] {
        list(json).map(texts)
    }

    /// Items of a list.
    static func list(_ json: JSONText) -> [JSONNode] {
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

extension Diagnostic {
    /// An error as runs and jobs keep it; nil for an object without a code.
    init?(kept json: JSONText) {
        var facts = JSONTexts.object(json)
        guard let code = facts.removeValue(forKey: "code") else { return nil }
        self.init(code: code, facts: facts, place: Place(file: facts["file"]))
    }
}
