// SPDX-License-Identifier: Apache-2.0
// Reading the `fields` of a mapping: rules, reusable blocks and child rows.

internal import Diagnostics
internal import Model
internal import YAML

/// Where a field rule stands: what its names mean and which path its paths are below.
struct FieldScope {
    let fields: [FieldSchema]
    /// `seller.` inside a block.
    var prefix = ""
    var below: [PathExpression] = []
    /// The collection that it is a row's field of.
    var row: Int?
}

extension MappingParser {
    /// The record's fields and its child rows.
    mutating func fields(_ tree: YAMLTree, _ target: EntitySchema) -> ([FieldRule], [CollectionRule]) {
        guard let pairs = tree.pairs else {
            fault(.valueExpected, ["expected": "map", "context": "fields"], at: tree.place)
            return ([], [])
        }
        var fields: [FieldRule] = []
        var collections: [CollectionRule] = []
        let scope = FieldScope(fields: target.fields)
        for (name, place, value) in pairs {
            if let collection = target.collection(name) {
                if let rule = rows(collection, value, target) { collections.append(rule) }
            } else if let use = value["use"] {
                fields += block(use, name, value, scope)
            } else if let rule = field(name, value, scope, at: place) {
                fields.append(rule)
            }
        }
        return (fields, collections)
    }

    private mutating func rows(
        _ collection: Int, _ tree: YAMLTree, _ target: EntitySchema
    ) -> CollectionRule? {
        let keys = map(tree, .field)
        let name = target.collections[collection].name
        guard let pairs = keys["fields"]?.pairs else {
            fault(.keyMissing, ["context": name, "key": "fields"], at: tree.place)
            return nil
        }
        let each = keys["each"].map { paths($0) } ?? []
        if isTable, table?.grouping == nil {
            fault(.rowsWithoutGrouping, ["name": name], at: tree.place)
        } else if !isTable, each.isEmpty {
            fault(.keyMissing, ["context": name, "key": "each"], at: tree.place)
        }
        let scope = FieldScope(fields: target.collections[collection].fields, below: each, row: collection)
        var fields: [FieldRule] = []
        for (name, place, value) in pairs {
            if let use = value["use"] {
                fields += block(use, name, value, scope)
            } else if let rule = field(name, value, scope, at: place) {
                fields.append(rule)
            }
        }
        let ordered = order(fields, at: tree.place) { rule in
            rule.value.rowReferences.union(rule.negative?.rowFields ?? [])
        }
        return CollectionRule(collection: collection, each: each, fields: ordered)
    }

    /// The fields of a block, named and placed below the field that uses it.
    private mutating func block(
        _ use: YAMLTree, _ name: String, _ tree: YAMLTree, _ scope: FieldScope
    ) -> [FieldRule] {
        guard let blockName = scalar(use), let pairs = blocks[blockName]?.pairs else {
            let word = use.scalar ?? ""
            fault(
                .blockUnknown,
                ["name": word, "suggestion": Suggestion.nearest(to: word, in: blocks.keys.sorted()) ?? ""],
                at: use.place)
            return []
        }
        usedBlocks.insert(blockName)
        let keys = map(tree, .field)
        var inner = scope
        inner.prefix = scope.prefix + name + "."
        let below = keys["path"].map { paths($0) } ?? []
        inner.below =
            scope.below.isEmpty ? below : scope.below.flatMap { outer in below.map { $0.below(outer) } }
        return pairs.compactMap { field($0.key, $0.value, inner, at: $0.keyPlace) }
    }

    private mutating func field(
        _ name: String, _ tree: YAMLTree, _ scope: FieldScope, at place: Place
    ) -> FieldRule? {
        let name = scope.prefix + name
        guard let slot = scope.fields.firstIndex(where: { $0.name == name }) else {
            unknownField(name, scope.fields.map(\.name), at: place)
            return nil
        }
        let keys = map(tree, .field)
        let schema = scope.fields[slot]
        guard let value = value(keys, scope, at: tree.place) else { return nil }
        var rule = FieldRule(slot: slot, name: name, type: schema.type, value: value)
        rule.locale = keys["locale"].flatMap { choice($0, NumberLocale.self) } ?? table?.locale ?? .plain
        if let decimals = keys["decimals"], decimals.pairs != nil {
            rule.decimalsPlace = locator(map(decimals, .field), at: decimals.place)
        } else {
            rule.decimals = integer(keys["decimals"])
        }
        if let negative = keys["negative"], let target = self.schema {
            var names = names(target)
            names.row = scope.row
            rule.negative = expression(negative, names, .boolean)
        }
        rule.isRequired = boolean(keys["required"])
        rule.defaultText = scalar(keys["default"])
        rule.maxLength = integer(keys["max"])
        rule.check = keys["valid"].flatMap { choice($0, ValueCheck.self) }
        if let empty = keys["empty"].flatMap({ choice($0, EmptyPolicy.self) }) { rule.empty = empty }
        if let formats = keys["format"] { rule.formats = dateFormats(formats, integer(keys["century"])) }
        if let typeTree = keys["type"], let declared = choice(typeTree, ValueType.self),
            declared != schema.type
        {
            fault(
                .typeDiffers, ["field": name, "type": declared.rawValue, "expected": schema.type.rawValue],
                at: typeTree.place)
        }
        checkWords(keys, schema)
        return rule
    }

    /// Texts that a rule can give its field are among the field's own words.
    private mutating func checkWords(_ keys: [String: YAMLTree], _ schema: FieldSchema) {
        guard !schema.words.isEmpty else { return }
        func check(_ tree: YAMLTree?) {
            guard let tree, let word = tree.scalar, !word.isEmpty, !schema.words.contains(word) else {
                return
            }
            unknownValue(word, schema.words, at: tree.place)
        }
        let isEnumerated = keys["enum"] != nil
        for pair in keys["enum"]?.pairs ?? [] { check(pair.value) }
        if let otherwise = keys["else"], !(isEnumerated && ["error", "null"].contains(otherwise.scalar)) {
            check(otherwise)
        }
        if !isEnumerated { check(keys["const"]) }
        check(keys["default"])
        for item in keys["first"]?.items ?? [] {
            guard let pairs = item.pairs else { continue }
            checkWords(Dictionary(pairs.map { ($0.key, $0.value) }) { first, _ in first }, schema)
        }
    }

    /// Formats that read the same text as different days are a guess, which the mapping may not leave to us.
    private mutating func dateFormats(_ tree: YAMLTree, _ century: Int?) -> [DateFormat] {
        var formats: [DateFormat] = []
        for item in tree.items {
            let pattern = item.scalar ?? ""
            guard let format = DateFormat(pattern, century: century) else {
                fault(.formatInvalid, ["format": pattern], at: item.place)
                continue
            }
            let shape = pattern.map { $0.isLetter ? "x" : $0 }
            if let other = formats.first(where: { $0.pattern.map { $0.isLetter ? "x" : $0 } == shape }) {
                fault(.formatAmbiguous, ["first": other.pattern, "second": pattern], at: item.place)
            }
            formats.append(format)
        }
        return formats
    }

    // MARK: - Values

    /// How a text is found: exactly one of path, col, at, from, const, root or first.
    mutating func value(
        _ keys: [String: YAMLTree], _ scope: FieldScope, at place: Place
    ) -> ValueRule? {
        var condition: Expression?
        if let when = keys["when"], let schema {
            var names = names(schema)
            names.row = scope.row
            condition = expression(when, names, .boolean)
        }
        let ways = ["path", "col", "at", "from", "first", "root"].filter { keys[$0] != nil }
        if ways.count > 1, let second = keys[ways[1]] {
            fault(.sourceConflict, ["first": ways[0], "second": ways[1]], at: second.place)
        }
        guard let origin = origin(keys, scope, at: place) else { return nil }
        var rule = ValueRule(origin: origin)
        rule.when = condition
        rule.cleaning = CleaningSet((keys["clean"]?.items ?? []).compactMap { choice($0, Cleaning.self) })
        rule.take = integer(keys["take"])
        rule.regex = pattern(keys["regex"])
        rule.keep = pattern(keys["keep"])
        readElse(keys, into: &rule)
        return rule
    }

    /// `enum` with its `else`, or the `else` of `when`.
    private mutating func readElse(_ keys: [String: YAMLTree], into rule: inout ValueRule) {
        let otherwise = scalar(keys["else"])
        guard let choices = keys["enum"] else {
            if keys["when"] != nil {
                rule.otherwiseText = otherwise
            } else if let tree = keys["else"] {
                fault(.keyMissing, ["context": "else", "key": "enum"], at: tree.place)
            }
            return
        }
        guard let pairs = choices.pairs else {
            return fault(.valueExpected, ["expected": "map", "context": "enum"], at: choices.place)
        }
        rule.choices = Dictionary(pairs.map { ($0.key, $0.value.scalar ?? "") }) { first, _ in first }
        guard let otherwise else {
            return fault(.keyMissing, ["context": "enum", "key": "else"], at: choices.place)
        }
        rule.otherwise = otherwise == "error" ? .error : otherwise == "null" ? .null : .value(otherwise)
    }

    private mutating func origin(
        _ keys: [String: YAMLTree], _ scope: FieldScope, at place: Place
    ) -> ValueRule.Origin? {
        // With `when`, `const` is the text where it holds, whatever else the rule reads.
        if keys["when"] != nil, let constant = scalar(keys["const"]) { return .constant(constant) }
        if let path = keys["path"] {
            if isTable {
                fault(.keyUnknown, ["context": "csv", "key": "path", "suggestion": "col"], at: path.place)
            }
            return .located(placed(paths(path), scope))
        }
        if !isTable {
            for key in ["col", "at"] {
                guard let tree = keys[key] else { continue }
                fault(.keyUnknown, ["context": "xml", "key": key, "suggestion": "path"], at: tree.place)
                return nil
            }
        }
        if let root = keys["root"], isStructured || isTable {
            fault(
                .keyUnknown, ["context": isTable ? "csv" : "record", "key": "root", "suggestion": ""],
                at: root.place)
            return nil
        }
        if keys["col"] != nil || keys["at"] != nil { return locator(keys, at: place).map { .located([$0]) } }
        if let from = keys["from"] { return reference(from, scope) }
        if let constant = scalar(keys["const"]) { return .constant(constant) }
        if keys["root"]?.scalar == "true" { return .root }
        if let first = keys["first"] { return alternatives(first, scope) }
        fault(.keyMissing, ["context": "field", "key": isTable ? "col" : "path"], at: place)
        return nil
    }

    private mutating func alternatives(_ tree: YAMLTree, _ scope: FieldScope) -> ValueRule.Origin {
        var rules: [ValueRule] = []
        var lastIsCertain = false
        for item in tree.items {
            if lastIsCertain { warning(.branchUnreachable, [:], at: item.place) }
            guard let rule = alternative(item, scope) else { continue }
            if case .constant = rule.origin, rule.when == nil { lastIsCertain = true }
            rules.append(rule)
        }
        return .first(rules)
    }

    /// An item of `first`: a bare path or column, or a rule of its own.
    private mutating func alternative(_ tree: YAMLTree, _ scope: FieldScope) -> ValueRule? {
        if tree.pairs != nil { return value(map(tree, .field), scope, at: tree.place) }
        guard let text = scalar(tree) else { return nil }
        return ValueRule(origin: .located(isTable ? [.column(text)] : placed(paths(tree), scope)))
    }

    private func placed(_ paths: [PathExpression], _ scope: FieldScope) -> [Locator] {
        let prefixes = scope.below.isEmpty ? [PathExpression(steps: [])] : scope.below
        return prefixes.flatMap { prefix in paths.map { .path($0.below(prefix)) } }
    }

    /// A field by name, of the same block first, then of the row or record; or `$file.name`.
    private mutating func reference(_ tree: YAMLTree, _ scope: FieldScope) -> ValueRule.Origin? {
        guard let name = scalar(tree) else { return nil }
        if name.hasPrefix("$file.") {
            let variable = String(name.dropFirst(6))
            let known = fileName?.groupNames.map(\.name) ?? []
            if known.contains(variable) { return .fileVariable(variable) }
            fault(
                .variableUnknown,
                ["name": name, "suggestion": Suggestion.nearest(to: variable, in: known) ?? ""],
                at: tree.place)
            return nil
        }
        if name.hasPrefix("$row."), let collection = schema?.collection(String(name.dropFirst(5))) {
            return .located([.rowNumber(collection: collection)])
        }
        for candidate in [scope.prefix + name, name] {
            guard let slot = scope.fields.firstIndex(where: { $0.name == candidate }) else { continue }
            return scope.row == nil ? .field(slot) : .rowField(slot)
        }
        if scope.row != nil, let slot = schema?.slot(of: name) { return .field(slot) }
        unknownField(name, scope.fields.map(\.name), at: tree.place)
        return nil
    }
}

extension ValueRule {
    /// Slots of the fields of the same row that must be known before this one.
    var rowReferences: Set<Int> {
        var slots = when?.rowFields ?? []
        switch origin {
        case .rowField(let slot): slots.insert(slot)
        case .first(let rules): for rule in rules { slots.formUnion(rule.rowReferences) }
        default: break
        }
        return slots
    }

    /// Slots of the fields that must be known before this one.
    func references(in schema: EntitySchema) -> Set<Int> {
        let condition = when?.fields ?? []
        switch origin {
        case .field(let slot): return condition.union([slot])
        case .first(let rules): return rules.reduce(condition) { $0.union($1.references(in: schema)) }
        case .located(let places):
            return condition.union(places.flatMap(\.referencedFields).compactMap(schema.slot(of:)))
        case .constant, .root, .rowField, .fileVariable: return condition
        }
    }
}

extension Locator {
    /// Fields that the path's conditions compare with.
    fileprivate var referencedFields: [String] {
        if case .path(let path) = self { path.referencedFields } else { [] }
    }
}
