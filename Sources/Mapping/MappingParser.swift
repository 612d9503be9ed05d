// SPDX-License-Identifier: Apache-2.0
// Reads a mapping file and checks it: every fault is found in one go, each with its position.

internal import Diagnostics
internal import Model
internal import Rules
internal import Tabular
internal import XML
internal import YAML

extension MappingDefinition {
    /// Reads a mapping.
    ///
    /// - Parameter file: its name, for the positions of faults.
    /// - Throws: ``MappingFaults`` with everything that is wrong.
    package static func parse(_ text: String, file: String) throws(MappingFaults) -> MappingDefinition {
        var parser = MappingParser(file: file)
        guard let definition = parser.definition(text),
            !parser.faults.contains(where: { $0.severity == .error })
        else {
            throw MappingFaults(faults: parser.faults.sorted(by: Diagnostic.comesFirst))
        }
        return definition
    }
}

extension Diagnostic {
    /// Orders faults as they stand in the file.
    static func comesFirst(_ left: Diagnostic, _ right: Diagnostic) -> Bool {
        (left.place.line ?? 0, left.place.column ?? 0) < (right.place.line ?? 0, right.place.column ?? 0)
    }
}

/// Collects faults while it builds the definition; a part with a fault is left out and the rest goes on.
struct MappingParser {
    let file: String
    var faults: [Diagnostic] = []
    var namespaces: [String: String] = [:]
    /// Paths that `$name` at the start of a path stands for.
    var lets: [String: PathExpression] = [:]
    var blocks: [String: YAMLTree] = [:]
    var usedBlocks: Set<String> = []
    var schema: EntitySchema?
    var table: TableSource?
    var fileName: Pattern?
    var totals: [FileTotal] = []

    /// Whether records are structured already, so that there are no columns and no root element.
    var isStructured = false

    var isTable: Bool { table != nil }

    init(file: String) {
        self.file = file
    }

    // MARK: - The file

    mutating func definition(_ text: String) -> MappingDefinition? {
        guard let root = root(text) else { return nil }
        guard !root.isExport else {
            fault(.wrongDirection, ["option": "--export"], at: root.place)
            return nil
        }
        let keys = map(root, .file)
        if let direction = keys["direction"], direction.scalar != "import" {
            unknownValue(direction.scalar ?? "", ["import", "export"], at: direction.place)
        }
        let target = entity(keys["target"])
        schema = target
        for block in keys["defs"]?.pairs ?? [] { blocks[block.key] = block.value }
        let source = keys["source"].flatMap { self.source($0, target) }
        guard let name = scalar(keys["mapping"]), let source, let target, let fieldTree = keys["fields"]
        else { return nil }
        let (fields, collections) = self.fields(fieldTree, target)
        requireFields(target, fields, at: fieldTree.place)
        requireRows(source, collections, target, at: fieldTree.place)
        warnOfUnusedBlocks(keys["defs"])
        let checks = (keys["checks"]?.items ?? []).compactMap { check($0, target) }
        let fileChecks = (keys["file_checks"]?.items ?? []).compactMap { check($0, target, isFile: true) }
        return MappingDefinition(
            name: name, version: integer(keys["version"]) ?? 0, target: target,
            accountMatch: accountMatch(keys["match"], target),
            upsert: upsert(keys["upsert"], target, fields),
            errorPolicy: errorPolicy(keys["on_error"]),
            derivesBillingStatus: keys["derive"]?.scalar == "billing_status",
            tests: (keys["tests"]?.items ?? []).compactMap(\.scalar),
            text: text, warnings: faults.filter { $0.severity == .warning }, source: source,
            fileName: fileName,
            fields: order(fields, at: fieldTree.place) { rule in
                rule.value.references(in: target).union(rule.negative?.fields ?? [])
            },
            collections: collections, checks: checks, rules: rules(keys["rules"], target),
            totals: totals, fileChecks: fileChecks,
            only: keys["only"].flatMap { expression($0, names(target), .boolean) })
    }

    /// The file as YAML; nil where it is none.
    mutating func root(_ text: String) -> YAMLTree? {
        do {
            return try YAMLTree.parse(text, file: file)
        } catch {
            faults.append(error.diagnostic)
            return nil
        }
    }

    mutating func entity(_ tree: YAMLTree?) -> EntitySchema? {
        guard let tree, let name = scalar(tree) else { return nil }
        if let schema = EntitySchema.named(name) { return schema }
        unknownValue(name, EntitySchema.all.map(\.name), at: tree.place)
        return nil
    }

    private mutating func rules(_ tree: YAMLTree?, _ target: EntitySchema) -> [RuleSet] {
        (tree?.items ?? []).compactMap { item in
            guard let rules = choice(item, RuleSet.self) else { return nil }
            guard rules.entity !== target else { return rules }
            fault(.rulesDiffer, ["name": rules.rawValue, "entity": rules.entity.name], at: item.place)
            return nil
        }
    }

    private mutating func requireFields(_ target: EntitySchema, _ fields: [FieldRule], at place: Place) {
        let mapped = Set(fields.map(\.slot))
        for (slot, field) in target.fields.enumerated() where field.isRequired && !mapped.contains(slot) {
            fault(.fieldRequired, ["field": field.name, "entity": target.name], at: place)
        }
    }

    /// A second file has the rows of one collection.
    private mutating func requireRows(
        _ source: SourceDefinition, _ collections: [CollectionRule], _ target: EntitySchema, at place: Place
    ) {
        guard case .table(let table) = source, case .byDetail = table.grouping, collections.count != 1 else {
            return
        }
        let known = target.collections.map(\.name).joined(separator: " | ")
        guard collections.count > 1 else {
            return fault(.keyMissing, ["context": "fields", "key": known], at: place)
        }
        let names = collections.map { target.collections[$0.collection].name }
        fault(.sourceConflict, ["first": names[0], "second": names[1]], at: place)
    }

    private mutating func warnOfUnusedBlocks(_ tree: YAMLTree?) {
        for (name, place, _) in tree?.pairs ?? [] where !usedBlocks.contains(name) {
            warning(.blockUnused, ["name": name], at: place)
        }
    }

    // MARK: - Checks

    mutating func check(_ tree: YAMLTree, _ target: EntitySchema, isFile: Bool = false) -> CheckRule? {
        let keys = map(tree, .check)
        guard let id = scalar(keys["id"]), let expect = keys["expect"] else { return nil }
        var each: Int?
        if let eachTree = keys["each"], let name = scalar(eachTree) {
            each = target.collection(name)
            if each == nil { unknownValue(name, target.collections.map(\.name), at: eachTree.place) }
        }
        var names = names(target)
        names.row = each
        names.isFile = isFile
        guard let expectation = expression(expect, names, .boolean) else { return nil }
        return CheckRule(
            id: id, severity: keys["severity"].flatMap { choice($0, CheckRule.Severity.self) } ?? .error,
            when: keys["when"].flatMap { expression($0, names, .boolean) }, each: each, expect: expectation,
            message: template(keys["message"], names) ?? MessageTemplate(parts: [.words(id)]))
    }

    /// What names mean in the mapping's expressions.
    func names(_ target: EntitySchema) -> ExpressionNames {
        ExpressionNames(schema: target, isTable: isTable)
    }

    mutating func expression(
        _ tree: YAMLTree, _ names: ExpressionNames, _ kind: Expression.Kind?
    ) -> Expression? {
        scalar(tree).flatMap { expression($0, names, kind, at: tree.place) }
    }

    private mutating func expression(
        _ text: String, _ names: ExpressionNames, _ kind: Expression.Kind?, at place: Place
    ) -> Expression? {
        do {
            return try ExpressionParser.parse(text, names, kind, totals: &totals)
        } catch {
            fault(error.code, error.facts.merging(["expression": text]) { $1 }, at: place)
            return nil
        }
    }

    /// A sentence with `{expression}` in it.
    private mutating func template(_ tree: YAMLTree?, _ names: ExpressionNames) -> MessageTemplate? {
        guard let tree, let text = scalar(tree) else { return nil }
        var template = MessageTemplate(parts: [])
        var rest = Substring(text)
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            template.parts.append(.words(String(rest[..<open])))
            let inner = String(rest[rest.index(after: open)..<close])
            if let value = expression(inner, names, nil, at: tree.place) {
                template.parts.append(.value(value))
            }
            rest = rest[rest.index(after: close)...]
        }
        template.parts.append(.words(String(rest)))
        return template
    }

    // MARK: - Order

    /// Puts fields behind those they refer to; a circle is a fault.
    mutating func order(
        _ fields: [FieldRule], at place: Place, _ references: (FieldRule) -> Set<Int>
    ) -> [FieldRule] {
        var waiting = fields
        var ordered: [FieldRule] = []
        var known: Set<Int> = []
        let mapped = Set(fields.map(\.slot))
        while !waiting.isEmpty {
            let ready = waiting.filter {
                references($0).intersection(mapped).isSubset(of: known)
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
