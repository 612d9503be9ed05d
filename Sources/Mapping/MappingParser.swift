// SPDX-License-Identifier: Apache-2.0
// Reads a mapping file and checks it: every fault is found in one go, each with its position.

internal import Diagnostics
internal import Model
internal import Tabular
internal import XML

extension MappingDefinition {
    /// Reads a mapping.
    ///
    /// - Parameter file: its name, for the positions of faults.
    /// - Throws: ``MappingFaults`` with everything that is wrong.
    package static func parse(_ text: String, file: String) throws(MappingFaults) -> MappingDefinition {
        var parser = MappingParser(file: file)
        guard let definition = parser.definition(text), parser.faults.isEmpty else {
            throw MappingFaults(faults: parser.faults)
        }
        return definition
    }
}

/// Collects faults while it builds the definition; a part with a fault is left out and the rest goes on.
struct MappingParser {
    let file: String
    var faults: [Diagnostic] = []
    var namespaces: [String: String] = [:]
    var blocks: [String: YAMLTree] = [:]
    var schema: EntitySchema?
    var isTable = false
    var tableLocale = NumberLocale.plain

    init(file: String) {
        self.file = file
    }

    // MARK: - The file

    mutating func definition(_ text: String) -> MappingDefinition? {
        let root: YAMLTree
        do {
            root = try YAMLTree.parse(text, file: file)
        } catch {
            faults.append(error.diagnostic)
            return nil
        }
        let keys = map(root, .file)
        guard let name = scalar(keys["mapping"]), let source = keys["source"],
            let target = entity(keys["target"]), let fieldTree = keys["fields"]
        else { return nil }
        schema = target
        guard let sourceDefinition = self.source(source) else { return nil }
        for block in keys["defs"]?.pairs ?? [] { blocks[block.key] = block.value }
        let (fields, collections) = self.fields(fieldTree, target)
        requireFields(target, fields, at: fieldTree.place)
        return MappingDefinition(
            name: name, version: integer(keys["version"]) ?? 0, target: target,
            accountMatch: accountMatch(keys["match"], target), changed: changed(keys["upsert"]),
            errorLimit: errorLimit(keys["on_error"]),
            text: text,
            source: sourceDefinition, fields: order(fields, target, at: fieldTree.place),
            collections: collections,
            checks: (keys["checks"]?.items ?? []).compactMap { check($0, target) })
    }

    private mutating func entity(_ tree: YAMLTree?) -> EntitySchema? {
        guard let tree, let name = scalar(tree) else { return nil }
        if let schema = EntitySchema.named(name) { return schema }
        unknownValue(name, EntitySchema.all.map(\.name), at: tree.place)
        return nil
    }

    private mutating func requireFields(
        _ target: EntitySchema, _ fields: [FieldRule<Locator>], at place: Place
    ) {
        let mapped = Set(fields.map(\.slot))
        for (slot, field) in target.fields.enumerated() where field.isRequired && !mapped.contains(slot) {
            fault(.fieldRequired, ["field": field.name, "entity": target.name], at: place)
        }
    }

    // MARK: - Sources

    private mutating func source(_ tree: YAMLTree) -> SourceDefinition? {
        let keys = map(tree, .source)
        for (prefix, _, value) in keys["namespaces"]?.pairs ?? [] { namespaces[prefix] = scalar(value) }
        guard let kind = keys["kind"] else { return nil }
        switch kind.scalar {
        case "xml": return xmlSource(keys, at: tree.place)
        case "csv": return csvSource(keys)
        default:
            unknownValue(kind.scalar ?? "", ["xml", "csv"], at: kind.place)
            return nil
        }
    }

    private mutating func xmlSource(_ keys: [String: YAMLTree], at place: Place) -> SourceDefinition? {
        guard let record = keys["record"] else {
            fault(.keyMissing, ["key": "record", "context": "source"], at: place)
            return nil
        }
        let records = paths(record).compactMap { $0.steps.count == 1 ? $0.steps[0].name : nil }
        if records.isEmpty {
            fault(.pathInvalid, ["path": record.scalar ?? "", "detail": "one element"], at: record.place)
        }
        var limits = XMLLimits()
        let limitKeys = keys["limits"].map { map($0, .limits) } ?? [:]
        if let depth = limitKeys["depth"].flatMap({ size($0) }) { limits.depth = depth }
        if let text = limitKeys["text"].flatMap({ size($0) }) { limits.text = text }
        if let record = limitKeys["record"].flatMap({ size($0) }) { limits.record = record }
        let skip = (keys["skip"]?.items ?? []).flatMap { paths($0) }
        return .xml(records: records, skip: skip, limits: limits)
    }

    private mutating func csvSource(_ keys: [String: YAMLTree]) -> SourceDefinition? {
        isTable = true
        var source = CSVSource()
        if let encodings = keys["encoding"] {
            source.encodings = encodings.items.compactMap { choice($0, TextEncoding.self) }
        }
        if let locale = keys["locale"].flatMap({ choice($0, NumberLocale.self) }) { source.locale = locale }
        tableLocale = source.locale
        let dialect = keys["dialect"].map { map($0, .dialect) } ?? [:]
        if let delimiters = dialect["delimiter"] {
            source.delimiters = delimiters.items.compactMap { byte($0) }
        }
        if let quote = dialect["quote"] { source.quote = quote.scalar == "none" ? nil : byte(quote) }
        for (column, _, others) in keys["aliases"]?.pairs ?? [] {
            source.aliases[column] = others.items.compactMap(\.scalar)
        }
        return .csv(source)
    }

    // MARK: - Checks, matching, upsert

    private mutating func check(_ tree: YAMLTree, _ target: EntitySchema) -> CheckRule? {
        let keys = map(tree, .check)
        guard let id = scalar(keys["id"]), let expect = keys["expect"] else { return nil }
        var each: Int?
        if let name = keys["each"]?.scalar {
            each = target.collection(name)
            if each == nil { unknownValue(name, target.collections.map(\.name), at: tree.place) }
        }
        guard let expectation = expression(expect, target, row: each) else { return nil }
        return CheckRule(
            id: id, severity: keys["severity"].flatMap { severity($0) } ?? .error,
            when: keys["when"].flatMap { expression($0, target, row: each) }, each: each, expect: expectation,
            message: keys["message"]?.scalar ?? id)
    }

    private mutating func severity(_ tree: YAMLTree) -> Diagnostic.Severity? {
        if let severity = tree.scalar.flatMap(Diagnostic.Severity.init(rawValue:)) { return severity }
        unknownValue(tree.scalar ?? "", ["error", "warning", "info"], at: tree.place)
        return nil
    }

    mutating func expression(_ tree: YAMLTree, _ target: EntitySchema, row: Int?) -> Expression? {
        guard let text = scalar(tree) else { return nil }
        do {
            return try ExpressionParser.parse(text, schema: target, row: row)
        } catch {
            fault(.expressionInvalid, ["expression": text, "detail": error.words], at: tree.place)
            return nil
        }
    }

    private mutating func accountMatch(_ tree: YAMLTree?, _ target: EntitySchema) -> AccountMatch {
        guard let tree, let account = map(tree, .match)["account"] else {
            return AccountMatch(attempts: [], unknown: .review)
        }
        let keys = map(account, .account)
        let attempts = (keys["try"]?.items ?? []).compactMap { attempt($0, target) }
        var unknown = AccountMatch.Unknown.review
        if let none = keys["none"] {
            let value = none.pairs == nil ? none : map(none, .unknown)["create"]
            if let value, let choice = value.scalar.flatMap(AccountMatch.Unknown.init(rawValue:)) {
                unknown = choice
            } else {
                unknownValue(value?.scalar ?? "", ["create", "review", "checksum-valid"], at: none.place)
            }
        }
        return AccountMatch(attempts: attempts, unknown: unknown)
    }

    /// `[siret, buyer.siret]` or `[external, SYSTEM, buyer.code]`.
    private mutating func attempt(_ tree: YAMLTree, _ target: EntitySchema) -> AccountMatch.Attempt? {
        let words = tree.items.compactMap(\.scalar)
        guard let first = words.first, let key = AccountMatch.Attempt.Key(rawValue: first),
            words.count == (key == .external ? 3 : 2), let field = words.last
        else {
            unknownValue(
                words.first ?? "", AccountMatch.Attempt.Key.allCases.map(\.rawValue), at: tree.place)
            return nil
        }
        guard target.slot(of: field) != nil else {
            unknownField(field, target.fields.map(\.name), at: tree.place)
            return nil
        }
        return AccountMatch.Attempt(key: key, system: key == .external ? words[1] : nil, field: field)
    }

    private mutating func changed(_ tree: YAMLTree?) -> ChangedPolicy {
        guard let tree, let changed = map(tree, .upsert)["changed"] else { return .version }
        return choice(changed, ChangedPolicy.self) ?? .version
    }

    private mutating func errorLimit(_ tree: YAMLTree?) -> ErrorLimit {
        guard let tree else { return ErrorLimit() }
        let keys = map(tree, .onError)
        var limit = ErrorLimit(count: integer(keys["stop_after"]))
        if let ratio = keys["stop_ratio"] {
            limit.ratio = ratio.scalar.flatMap { Decimal($0) }
            if limit.ratio == nil {
                fault(.valueExpected, ["expected": "decimal", "context": "on_error"], at: ratio.place)
            }
        }
        return limit
    }

    /// Puts fields behind those they refer to; a circle is a fault.
    private mutating func order(
        _ fields: [FieldRule<Locator>], _ target: EntitySchema, at place: Place
    ) -> [FieldRule<Locator>] {
        var waiting = fields
        var ordered: [FieldRule<Locator>] = []
        var known: Set<Int> = []
        let mapped = Set(fields.map(\.slot))
        while !waiting.isEmpty {
            let ready = waiting.filter {
                $0.value.references(in: target).intersection(mapped).isSubset(of: known)
            }
            guard !ready.isEmpty else {
                fault(.referenceCycle, ["fields": waiting.map(\.name).joined(separator: ", ")], at: place)
                return ordered
            }
            ordered += ready
            known.formUnion(ready.map(\.slot))
            waiting.removeAll { known.contains($0.slot) }
        }
        return ordered
    }
}
