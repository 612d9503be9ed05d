// SPDX-License-Identifier: Apache-2.0
// Reading single words of a mapping file, and saying what is wrong with them.

internal import Diagnostics
internal import Model
internal import YAML

extension MappingParser {
    /// Notes a fault of the file.
    mutating func fault(_ code: MappingError.Code, _ facts: [String: String], at place: Place) {
        faults.append(MappingError(code, facts, at: place).diagnostic)
    }

    /// Notes something that the mapping works with all the same.
    mutating func warning(_ code: MappingError.Code, _ facts: [String: String], at place: Place) {
        fault(code, facts, at: place)
        faults[faults.count - 1].severity = .warning
    }

    /// Whether the value is this word, the only one there is.
    @discardableResult
    mutating func requireWord(_ tree: YAMLTree, _ word: String) -> Bool {
        if tree.scalar == word { return true }
        unknownValue(tree.scalar ?? "", [word], at: tree.place)
        return false
    }

    /// `true` or `false`; false where there is nothing.
    mutating func boolean(_ tree: YAMLTree?) -> Bool {
        guard let tree else { return false }
        if tree.scalar != "true", tree.scalar != "false" {
            unknownValue(tree.scalar ?? "", ["true", "false"], at: tree.place)
        }
        return tree.scalar == "true"
    }

    mutating func unknownValue(_ value: String, _ known: [String], at place: Place) {
        fault(
            .valueUnknown,
            [
                "known": known.joined(separator: ", "),
                "suggestion": Suggestion.nearest(to: value, in: known) ?? "", "value": value,
            ], at: place)
    }

    mutating func unknownField(_ name: String, _ known: [String], at place: Place) {
        fault(
            .fieldUnknown,
            ["field": name, "suggestion": Suggestion.nearest(to: name, in: known) ?? ""], at: place)
    }

    /// The values of a map by key; unknown and missing keys are faults.
    mutating func map(_ tree: YAMLTree, _ context: KeyContext) -> [String: YAMLTree] {
        guard let pairs = tree.pairs else {
            fault(.valueExpected, ["expected": "map", "context": context.rawValue], at: tree.place)
            return [:]
        }
        let known = MappingKey.names(in: context)
        var values: [String: YAMLTree] = [:]
        for (key, place, value) in pairs {
            if known.contains(key) {
                values[key] = value
            } else {
                fault(
                    .keyUnknown,
                    [
                        "context": context.rawValue, "key": key,
                        "suggestion": Suggestion.nearest(to: key, in: known) ?? "",
                    ], at: place)
            }
        }
        for key in MappingKey.all where key.context == context && key.isRequired && values[key.name] == nil {
            fault(.keyMissing, ["context": context.rawValue, "key": key.name], at: tree.place)
        }
        return values
    }

    mutating func scalar(_ tree: YAMLTree?) -> String? {
        guard let tree else { return nil }
        if let text = tree.scalar { return text }
        fault(.valueExpected, ["expected": "text", "context": ""], at: tree.place)
        return nil
    }

    mutating func integer(_ tree: YAMLTree?) -> Int? {
        guard let tree else { return nil }
        if let number = tree.scalar.flatMap(Int.init), number >= 0 { return number }
        fault(.valueExpected, ["expected": "integer", "context": ""], at: tree.place)
        return nil
    }

    /// A number of bytes or of things: `64`, `512KiB`, `1MiB`.
    mutating func size(_ tree: YAMLTree) -> Int? {
        let text = tree.scalar ?? ""
        for (unit, factor) in [("KiB", 1 << 10), ("MiB", 1 << 20), ("", 1)] where text.hasSuffix(unit) {
            if let number = Int(text.dropLast(unit.count)), number > 0 { return number * factor }
        }
        fault(.valueExpected, ["expected": "size", "context": ""], at: tree.place)
        return nil
    }

    mutating func byte(_ tree: YAMLTree) -> UInt8? {
        let text = tree.scalar == "\\t" ? "\t" : tree.scalar ?? ""
        if text.utf8.count == 1, let byte = text.utf8.first { return byte }
        fault(.valueExpected, ["expected": "character", "context": ""], at: tree.place)
        return nil
    }

    mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ tree: YAMLTree, _ type: Choice.Type
    ) -> Choice? {
        if let choice = tree.scalar.flatMap(Choice.init(rawValue:)) { return choice }
        unknownValue(tree.scalar ?? "", Choice.allCases.map(\.rawValue), at: tree.place)
        return nil
    }

    mutating func pattern(_ tree: YAMLTree?) -> Pattern? {
        guard let tree, let text = scalar(tree) else { return nil }
        do {
            return try Pattern(text)
        } catch {
            fault(
                .patternInvalid, ["pattern": text, "offset": String(error.offset), "detail": error.words],
                at: tree.place)
            return nil
        }
    }

    mutating func paths(_ tree: YAMLTree) -> [PathExpression] {
        guard let text = scalar(tree) else { return [] }
        do throws(PathParser.Fault) {
            let paths = try PathParser.parse(text, namespaces: namespaces, lets: lets)
            for name in Set(paths.flatMap(\.referencedFields)) where schema?.slot(of: name) == nil {
                unknownField(name, schema?.fields.map(\.name) ?? [], at: tree.place)
            }
            return paths
        } catch {
            switch error {
            case .unknownPrefix(let prefix):
                let near = Suggestion.nearest(to: prefix, in: namespaces.keys.sorted()) ?? ""
                fault(.prefixUnknown, ["prefix": prefix, "suggestion": near], at: tree.place)
            case .unknownLet(let name):
                let near = Suggestion.nearest(to: name, in: lets.keys.sorted()) ?? ""
                fault(.variableUnknown, ["name": "$" + name, "suggestion": near], at: tree.place)
            case .unexpected(let words): fault(.pathInvalid, ["path": text, "found": words], at: tree.place)
            case .notStreamable(let part, let rewrite):
                fault(
                    .pathNotStreamable, ["path": text, "part": part, "suggestion": rewrite], at: tree.place)
            }
        }
        return []
    }
}
