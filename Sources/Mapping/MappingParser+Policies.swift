// SPDX-License-Identifier: Apache-2.0
// Reading `match`, `upsert` and `on_error`: what happens to a record once it is read.

internal import Diagnostics
internal import Model
internal import YAML

extension MappingParser {
    mutating func accountMatch(_ tree: YAMLTree?, _ target: EntitySchema) -> AccountMatch {
        guard let tree, let account = map(tree, .match)["account"] else {
            return AccountMatch(attempts: [], unknown: .review)
        }
        let keys = map(account, .account)
        let attempts = (keys["try"]?.items ?? []).compactMap { attempt($0, target) }
        if let many = keys["many"] { requireWord(many, "review") }
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

    /// `[siret, buyer.siret]`, `[external, SYSTEM, buyer.code]` or `[name+postcode, buyer.name, buyer.postal_code]`.
    private mutating func attempt(_ tree: YAMLTree, _ target: EntitySchema) -> AccountMatch.Attempt? {
        let words = tree.items.compactMap(\.scalar)
        guard let first = words.first, let key = AccountMatch.Attempt.Key(rawValue: first),
            words.count == key.wordCount
        else {
            unknownValue(
                words.first ?? "", AccountMatch.Attempt.Key.allCases.map(\.rawValue), at: tree.place)
            return nil
        }
        let fields = words.dropFirst(key == .external ? 2 : 1)
        for field in fields where target.slot(of: field) == nil {
            unknownField(field, target.fields.map(\.name), at: tree.place)
            return nil
        }
        return AccountMatch.Attempt(
            key: key, system: key == .external ? words[1] : nil, fields: Array(fields))
    }

    mutating func upsert(_ tree: YAMLTree?, _ target: EntitySchema, _ fields: [FieldRule]) -> UpsertRule {
        var rule = UpsertRule()
        guard let tree else { return rule }
        let keys = map(tree, .upsert)
        if let key = keys["key"] { rule.key = key.items.compactMap { keyPart($0, target) } }
        if !rule.key.contains(.ordinal) { warnOfNullableKeys(rule.key, keys["key"], fields, target) }
        if let same = keys["same"] { requireWord(same, "skip") }
        if let changed = keys["changed"] { rule.changed = choice(changed, ChangedPolicy.self) ?? .version }
        guard let children = keys["children"] else { return rule }
        let childKeys = map(children, .children)
        if let missing = childKeys["missing"] {
            rule.missingChildren = choice(missing, UpsertRule.MissingChildren.self) ?? .keep
        }
        for collection in target.collections {
            guard let name = scalar(childKeys[collection.name]) else { continue }
            if collection.slot(of: name) == nil {
                unknownField(name, collection.fields.map(\.name), at: children.place)
            }
            rule.childKeys[collection.name] = name
        }
        return rule
    }

    /// A field, `issuer`, `year(field)` or `$ordinal`.
    private mutating func keyPart(_ tree: YAMLTree, _ target: EntitySchema) -> UpsertRule.KeyPart? {
        guard let text = scalar(tree) else { return nil }
        if text == "issuer" { return .issuer }
        if text == "$ordinal" { return .ordinal }
        if text.hasPrefix("year("), text.hasSuffix(")") {
            let name = String(text.dropFirst(5).dropLast())
            if let slot = target.slot(of: name) { return .year(slot) }
            unknownField(name, target.fields.map(\.name), at: tree.place)
            return nil
        }
        if let slot = target.slot(of: text) { return .field(slot) }
        unknownField(text, target.fields.map(\.name) + ["issuer", "$ordinal"], at: tree.place)
        return nil
    }

    /// A key with a part that may be missing makes different records the same one.
    private mutating func warnOfNullableKeys(
        _ key: [UpsertRule.KeyPart], _ tree: YAMLTree?, _ fields: [FieldRule], _ target: EntitySchema
    ) {
        guard let tree else { return }
        for part in key {
            guard let slot = part.slot else { continue }
            let rule = fields.first { $0.slot == slot }
            let isCertain = rule.map { $0.isRequired || $0.defaultText != nil } ?? false
            if !isCertain { warning(.keyNullable, ["field": target.fields[slot].name], at: tree.place) }
        }
    }

    mutating func errorPolicy(_ tree: YAMLTree?) -> ErrorPolicy {
        guard let tree else { return ErrorPolicy() }
        let keys = map(tree, .onError)
        var policy = ErrorPolicy(limit: ErrorLimit(count: integer(keys["stop_after"])))
        if let record = keys["record"] {
            policy.record = choice(record, ErrorPolicy.Action.self) ?? .quarantine
        }
        policy.limit.ratio = share(keys["stop_ratio"])
        policy.changedRatio = share(keys["stop_changed"])
        return policy
    }

    /// A share of a file's records.
    private mutating func share(_ tree: YAMLTree?) -> Decimal? {
        guard let tree else { return nil }
        let share = tree.scalar.flatMap { Decimal($0) }
        if share == nil {
            fault(.valueExpected, ["expected": "decimal", "context": "on_error"], at: tree.place)
        }
        return share
    }
}
