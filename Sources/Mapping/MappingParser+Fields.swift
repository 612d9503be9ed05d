// SPDX-License-Identifier: Apache-2.0
// Reading the `fields` of a mapping: rules, reusable blocks and child rows.

internal import Diagnostics
internal import Model

/// Where a field rule stands: what its names mean and which path its paths are below.
private struct FieldScope {
    let fields: [FieldSchema]
    /// `seller.` inside a block.
    var prefix = ""
    var below: [PathExpression] = []
    /// Whether it is in a child row, whose fields cannot refer to each other yet.
    var isRow = false
}

extension MappingParser {
    /// The record's fields and its child rows.
    mutating func fields(_ tree: YAMLTree, _ target: EntitySchema) -> (
        [FieldRule<Locator>], [CollectionRule<Locator>]
    ) {
        guard let pairs = tree.pairs else {
            fault(.valueExpected, ["expected": "map", "context": "fields"], at: tree.place)
            return ([], [])
        }
        var fields: [FieldRule<Locator>] = []
        var collections: [CollectionRule<Locator>] = []
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

    private mutating func rows(_ collection: Int, _ tree: YAMLTree, _ target: EntitySchema) -> CollectionRule<
        Locator
    >? {
        let keys = map(tree, .field)
        guard let pairs = keys["fields"]?.pairs else {
            fault(
                .keyMissing, ["context": target.collections[collection].name, "key": "fields"], at: tree.place
            )
            return nil
        }
        let each = keys["each"].map { paths($0) } ?? []
        let scope = FieldScope(fields: target.collections[collection].fields, below: each, isRow: true)
        let fields = pairs.compactMap { field($0.key, $0.value, scope, at: $0.keyPlace) }
        return CollectionRule(collection: collection, each: each, fields: fields)
    }

    /// The fields of a block, named and placed below the field that uses it.
    private mutating func block(
        _ use: YAMLTree, _ name: String, _ tree: YAMLTree, _ scope: FieldScope
    ) -> [FieldRule<Locator>] {
        guard let blockName = scalar(use), let pairs = blocks[blockName]?.pairs else {
            unknownValue(use.scalar ?? "", blocks.keys.sorted(), at: use.place)
            return []
        }
        _ = map(tree, .field)
        var inner = scope
        inner.prefix = name + "."
        inner.below = tree["path"].map { paths($0) } ?? []
        return pairs.compactMap { field($0.key, $0.value, inner, at: $0.keyPlace) }
    }

    private mutating func field(
        _ name: String, _ tree: YAMLTree, _ scope: FieldScope, at place: Place
    ) -> FieldRule<Locator>? {
        let name = scope.prefix + name
        guard let slot = scope.fields.firstIndex(where: { $0.name == name }) else {
            unknownField(name, scope.fields.map(\.name), at: place)
            return nil
        }
        let keys = map(tree, .field)
        let schema = scope.fields[slot]
        guard let value = value(keys, scope, at: tree.place) else { return nil }
        var rule = FieldRule(slot: slot, name: name, type: schema.type, value: value)
        rule.locale = keys["locale"].flatMap { choice($0, NumberLocale.self) } ?? tableLocale
        rule.isRequired = keys["required"]?.scalar == "true"
        rule.defaultText = scalar(keys["default"])
        rule.maxLength = integer(keys["max"])
        rule.check = keys["valid"].flatMap { choice($0, ValueCheck.self) }
        if let formats = keys["format"] { rule.formats = formats.items.compactMap { dateFormat($0) } }
        if let declared = keys["type"].flatMap({ choice($0, ValueType.self) }), declared != schema.type {
            fault(
                .typeDiffers, ["field": name, "type": declared.rawValue, "expected": schema.type.rawValue],
                at: tree.place)
        }
        return rule
    }

    private mutating func dateFormat(_ tree: YAMLTree) -> DateFormat? {
        if let format = tree.scalar.flatMap({ DateFormat($0) }) { return format }
        fault(.formatInvalid, ["format": tree.scalar ?? ""], at: tree.place)
        return nil
    }

    /// How a text is found: exactly one of path, col, from, const, root or first.
    private mutating func value(
        _ keys: [String: YAMLTree], _ scope: FieldScope, at place: Place
    ) -> ValueRule<Locator>? {
        guard let origin = origin(keys, scope, at: place) else { return nil }
        var rule = ValueRule(origin: origin)
        rule.cleaning = (keys["clean"]?.items ?? []).compactMap { choice($0, Cleaning.self) }
        rule.take = integer(keys["take"])
        rule.regex = pattern(keys["regex"])
        rule.keep = pattern(keys["keep"])
        if let choices = keys["enum"] {
            rule.choices = Dictionary(
                uniqueKeysWithValues: (choices.pairs ?? []).map { ($0.key, $0.value.scalar ?? "") })
            guard let otherwise = keys["else"]?.scalar else {
                fault(.keyMissing, ["context": "enum", "key": "else"], at: choices.place)
                return nil
            }
            rule.otherwise = otherwise == "error" ? .error : otherwise == "null" ? .null : .value(otherwise)
        }
        return rule
    }

    private mutating func origin(
        _ keys: [String: YAMLTree], _ scope: FieldScope, at place: Place
    ) -> ValueRule<Locator>.Origin? {
        if let path = keys["path"] { return .located(placed(paths(path), scope)) }
        if let column = scalar(keys["col"]) { return .located([.column(column)]) }
        if let from = keys["from"] { return reference(from, scope).map { .field($0) } }
        if let constant = scalar(keys["const"]) { return .constant(constant) }
        if keys["root"]?.scalar == "true" { return .root }
        if let first = keys["first"] { return .first(first.items.compactMap { alternative($0, scope) }) }
        fault(.keyMissing, ["context": "field", "key": isTable ? "col" : "path"], at: place)
        return nil
    }

    /// An item of `first`: a bare path or column, or a rule of its own.
    private mutating func alternative(_ tree: YAMLTree, _ scope: FieldScope) -> ValueRule<Locator>? {
        if tree.pairs != nil { return value(map(tree, .field), scope, at: tree.place) }
        guard let text = scalar(tree) else { return nil }
        return ValueRule(origin: .located(isTable ? [.column(text)] : placed(paths(tree), scope)))
    }

    private func placed(_ paths: [PathExpression], _ scope: FieldScope) -> [Locator] {
        let prefixes = scope.below.isEmpty ? [PathExpression(steps: [])] : scope.below
        return prefixes.flatMap { prefix in paths.map { .path($0.below(prefix)) } }
    }

    /// A field by name: of the same block first, then of the record.
    private mutating func reference(_ tree: YAMLTree, _ scope: FieldScope) -> Int? {
        guard let name = scalar(tree), !scope.isRow else {
            fault(
                .valueUnknown, ["value": "from", "known": "path, col, const", "suggestion": ""],
                at: tree.place)
            return nil
        }
        for candidate in [scope.prefix + name, name] {
            if let slot = scope.fields.firstIndex(where: { $0.name == candidate }) { return slot }
        }
        unknownField(name, scope.fields.map(\.name), at: tree.place)
        return nil
    }
}

extension ValueRule<Locator> {
    /// Slots of the fields that must be known before this one.
    func references(in schema: EntitySchema) -> Set<Int> {
        switch origin {
        case .field(let slot): [slot]
        case .first(let rules): rules.reduce(into: []) { $0.formUnion($1.references(in: schema)) }
        case .located(let places): Set(places.flatMap(\.referencedFields).compactMap(schema.slot(of:)))
        case .constant, .root: []
        }
    }
}

extension Locator {
    /// Fields that the path's conditions compare with.
    fileprivate var referencedFields: [String] {
        if case .path(let path) = self { path.referencedFields } else { [] }
    }
}
