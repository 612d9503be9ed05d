// SPDX-License-Identifier: Apache-2.0
// Reading a mapping of the other direction.

internal import Diagnostics
internal import Model
internal import Tabular
internal import YAML

extension MappingParser {
    /// The whole file; nil where nothing can be made of it.
    mutating func exportDefinition(_ text: String) -> ExportDefinition? {
        guard let root = root(text) else { return nil }
        guard root.isExport || root["source"] == nil else {
            fault(.wrongDirection, ["option": "--mapping"], at: root.place)
            return nil
        }
        let keys = map(root, .export)
        schema = entity(keys["target"])
        guard let name = scalar(keys["mapping"]), let schema, let outputTree = keys["output"] else {
            return nil
        }
        let outputKeys = map(outputTree, .output)
        guard let output = output(outputKeys, schema, at: outputTree.place) else { return nil }
        let locale = outputKeys["locale"].flatMap { writableLocale($0) } ?? .plain
        var fields: [ExportField] = []
        switch output {
        case .csv(let csv):
            guard let columns = section("columns", keys, "paths", at: root.place) else { return nil }
            for column in columns where csv.encoding.encode(column.key) == nil {
                fault(
                    .columnEncoding, ["encoding": csv.encoding.rawValue, "name": column.key],
                    at: column.keyPlace)
            }
            fields = columns.compactMap { column in
                value(column.value, schema, row: csv.rows, locale).map {
                    ExportField(name: column.key, value: $0)
                }
            }
        case .xml, .json:
            guard let paths = section("paths", keys, "columns", at: root.place) else { return nil }
            fields = elements(paths, schema, row: nil)
        }
        return ExportDefinition(
            name: name, version: integer(keys["version"]) ?? 0, target: schema,
            tests: (keys["tests"]?.items ?? []).compactMap(\.scalar), text: text, output: output,
            fields: fields, only: keys["only"].flatMap { expression($0, names(schema), .boolean) })
    }

    /// The columns or paths, whichever the output has.
    private mutating func section(
        _ name: String, _ keys: [String: YAMLTree], _ other: String, at place: Place
    ) -> [(key: String, keyPlace: Place, value: YAMLTree)]? {
        if let tree = keys[other] {
            fault(.sourceConflict, ["first": "output.kind", "second": other], at: tree.place)
        }
        guard let pairs = keys[name]?.pairs, !pairs.isEmpty else {
            fault(.keyMissing, ["context": "export", "key": name], at: keys[name]?.place ?? place)
            return nil
        }
        return pairs
    }

    private mutating func output(
        _ keys: [String: YAMLTree], _ schema: EntitySchema, at place: Place
    ) -> ExportDefinition.Output? {
        let (ofTables, ofXML) = (
            ["encoding", "delimiter", "header", "locale", "each"], ["namespaces", "record", "root"]
        )
        let others =
            switch keys["kind"]?.scalar {
            case "csv": ofXML
            case "xml": ofTables
            case "json": ofTables + ofXML
            default: [String]()
            }
        for key in others {
            guard let tree = keys[key] else { continue }
            fault(
                .sourceConflict, ["first": "kind: \(keys["kind"]?.scalar ?? "")", "second": key],
                at: tree.place)
        }
        switch keys["kind"]?.scalar {
        case "csv":
            var output = CSVOutput()
            if let delimiter = keys["delimiter"].flatMap({ delimiter($0) }) { output.delimiter = delimiter }
            if let tree = keys["encoding"], let encoding = choice(tree, TextEncoding.self) {
                output.encoding = encoding
                if encoding == .utf16 {
                    let known = TextEncoding.allCases.filter { $0 != .utf16 }
                    unknownValue(encoding.rawValue, known.map(\.rawValue), at: tree.place)
                }
            }
            if let header = keys["header"] { output.hasHeader = boolean(header) }
            output.rows = keys["each"].flatMap { collection($0, schema) }
            return .csv(output)
        case "xml":
            var output = XMLOutput()
            output.namespaces = (keys["namespaces"]?.pairs ?? []).map { ($0.key, $0.value.scalar ?? "") }
            for key in ["record", "root"] where keys[key] == nil {
                fault(.keyMissing, ["context": "output", "key": key], at: place)
            }
            output.record = keys["record"].flatMap { elementName($0) } ?? ""
            output.root = keys["root"].flatMap { elementName($0) } ?? ""
            namespaces = Dictionary(output.namespaces.map { ($0.prefix, $0.uri) }) { first, _ in first }
            for name in [keys["record"], keys["root"]].compactMap(\.self) {
                checkName(name.scalar ?? "", name.place)
            }
            return .xml(output)
        case "json": return .json
        default:
            if let kind = keys["kind"] {
                unknownValue(kind.scalar ?? "", ["csv", "xml", "json"], at: kind.place)
            }
            return nil
        }
    }

    private mutating func collection(_ tree: YAMLTree, _ schema: EntitySchema) -> Int? {
        guard let name = scalar(tree) else { return nil }
        if let collection = schema.collection(name) { return collection }
        unknownValue(name, schema.collections.map(\.name), at: tree.place)
        return nil
    }

    /// An expression, or a map with `value`.
    private mutating func value(
        _ tree: YAMLTree, _ schema: EntitySchema, row: Int?, _ locale: NumberLocale
    ) -> ExportValue? {
        var names = names(schema)
        names.row = row
        let keys = tree.pairs == nil ? ["value": tree] : map(tree, .column)
        if keys["value"] == nil { fault(.keyMissing, ["context": "column", "key": "value"], at: tree.place) }
        for key in ["each", "fields"] {
            guard let other = keys[key] else { continue }
            fault(.sourceConflict, ["first": "value", "second": key], at: other.place)
        }
        guard let source = keys["value"], let text = scalar(source),
            let expression = expression(source, names, nil)
        else { return nil }
        var value = ExportValue(expression: expression, text: text, locale: locale)
        if let format = keys["format"], let pattern = scalar(format) {
            value.format = DateFormat(pattern, century: 1970)
            if value.format == nil { fault(.formatInvalid, ["format": pattern], at: format.place) }
        }
        if let locale = keys["locale"].flatMap({ writableLocale($0) }) { value.locale = locale }
        value.decimals = keys["decimals"].flatMap { integer($0) }
        for (key, _, word) in keys["enum"]?.pairs ?? [] { value.words[key] = scalar(word) ?? "" }
        if let required = keys["required"] { value.isRequired = boolean(required) }
        return value
    }

    /// How numbers are written; overpunched ones are only read.
    private mutating func writableLocale(_ tree: YAMLTree) -> NumberLocale? {
        let known = NumberLocale.allCases.filter { $0 != .overpunch }
        if let locale = tree.scalar.flatMap(NumberLocale.init(rawValue:)), known.contains(locale) {
            return locale
        }
        unknownValue(tree.scalar ?? "", known.map(\.rawValue), at: tree.place)
        return nil
    }

    // MARK: - XML

    /// Elements from paths: what paths have in common is one element.
    private mutating func elements(
        _ pairs: [(key: String, keyPlace: Place, value: YAMLTree)], _ schema: EntitySchema, row: Int?
    ) -> [ExportField] {
        var fields: [ExportField] = []
        for (path, place, tree) in pairs {
            let steps = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            for (index, step) in steps.enumerated() {
                let isAttribute = index == steps.count - 1 && step.hasPrefix("@") && tree["each"] == nil
                checkName(isAttribute ? String(step.dropFirst()) : step, place)
            }
            if let each = tree["each"], row == nil {
                if tree["fields"] == nil {
                    fault(.keyMissing, ["context": "column", "key": "fields"], at: tree.place)
                }
                if let other = tree["value"] {
                    fault(.sourceConflict, ["first": "each", "second": "value"], at: other.place)
                }
                var element = ExportField(name: steps.last ?? "")
                element.rows = collection(each, schema)
                element.children = elements(
                    map(tree, .column)["fields"]?.pairs ?? [], schema, row: element.rows)
                Self.insert(element, at: steps[...], into: &fields)
            } else if let value = value(tree, schema, row: row, .plain) {
                Self.insert(ExportField(name: steps.last ?? "", value: value), at: steps[...], into: &fields)
            }
        }
        return fields
    }

    private static func insert(
        _ field: ExportField, at steps: ArraySlice<String>, into fields: inout [ExportField]
    ) {
        guard let first = steps.first else { return }
        let known = fields.lastIndex { $0.name == first && $0.rows == nil }
        if steps.count == 1, known == nil || field.rows != nil { return fields.append(field) }
        let index = known ?? fields.count
        if known == nil { fields.append(ExportField(name: first)) }
        if steps.count == 1 {
            fields[index].value = field.value
        } else {
            insert(field, at: steps.dropFirst(), into: &fields[index].children)
        }
    }

    private mutating func elementName(_ tree: YAMLTree) -> String? { scalar(tree) }

    /// Refuses what is no name of XML, and prefixes that are not declared.
    private mutating func checkName(_ name: String, _ place: Place) {
        let parts = name.split(separator: ":", omittingEmptySubsequences: false)
        let areNames = parts.allSatisfy { part in
            part.first?.isLetter == true || part.first == "_"
        }
        let isWhole = name.allSatisfy { $0.isLetter || $0.isNumber || "_-.:".contains($0) }
        guard areNames, isWhole, parts.count <= 2 else {
            return fault(.pathInvalid, ["path": name], at: place)
        }
        if parts.count == 2, namespaces[String(parts[0])] == nil {
            fault(.prefixUnknown, ["prefix": String(parts[0]), "suggestion": ""], at: place)
        }
    }
}
