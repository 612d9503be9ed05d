// SPDX-License-Identifier: Apache-2.0
// The three-way merge of the properties of one component.

/// What has to change in our component, so that it says what both sides changed.
struct LineMerge {
    /// The change of one property.
    struct Change {
        /// Lines of ours that go.
        var old: [ContentLine] = []
        /// Lines of ours that are written anew.
        var rewritten: [(line: ContentLine, new: ContentLine)] = []
        /// Lines that come.
        var added: [ContentLine] = []
    }

    private let component: Component
    private let winner: ContentMerge.Side
    private(set) var changes: [Change] = []
    private(set) var conflicts: [ContentMerge.Conflict] = []
    /// New names of their groups, where ours has another group of the same name.
    private let groups: [String: String]

    /// Properties that only make sense together; a change of one is a change of all.
    private static let units = [
        ["DTSTART", "DTEND", "DUE", "DURATION"], ["STATUS", "COMPLETED", "PERCENT-COMPLETE"], ["N", "FN"],
        // The same text in HTML.
        ["DESCRIPTION", "X-ALT-DESC"],
    ]
    /// Properties of which each value stands for itself.
    private static let listed: Set<String> = ["EXDATE", "RDATE", "CATEGORIES", "RESOURCES"]
    /// Properties of which each line stands for itself.
    private static let several: Set<String> = [
        "ATTENDEE", "TEL", "EMAIL", "ADR", "URL", "IMPP", "MEMBER", "X-ADDRESSBOOKSERVER-MEMBER", "RELATED",
        "ATTACH", "COMMENT", "CONTACT", "RELATED-TO", "LANG", "X-ABLABEL", "X-ABDATE", "X-ABRELATEDNAMES",
    ]

    init(base: Component?, ours: Component, theirs: Component, winner: ContentMerge.Side) {
        component = ours
        self.winner = winner
        groups = Self.newNames(base: base, ours: ours, theirs: theirs)
        let first = Self.units(of: base?.properties ?? [])
        let mine = Self.units(of: ours.properties)
        let other = Self.units(of: theirs.properties)
        for name in Set(first.keys).union(mine.keys).union(other.keys).sorted() {
            merge(name, first[name] ?? [], mine[name] ?? [], other[name] ?? [])
        }
    }

    private static func units(of lines: [ContentLine]) -> [String: [ContentLine]] {
        Dictionary(grouping: lines) { line in units.first { $0.contains(line.name) }?.first ?? line.name }
    }

    private static func newNames(base: Component?, ours: Component, theirs: Component) -> [String: String] {
        let old = Set(base?.properties.compactMap(\.group) ?? [])
        let mine = Set(ours.properties.compactMap(\.group))
        let other = Set(theirs.properties.compactMap(\.group))
        var names: [String: String] = [:]
        var number = 0
        for group in other.intersection(mine).subtracting(old).sorted() {
            repeat { number += 1 } while mine.contains("item\(number)") || other.contains("item\(number)")
            names[group] = "item\(number)"
        }
        return names
    }

    // MARK: - Properties

    private mutating func merge(
        _ name: String, _ base: [ContentLine], _ ours: [ContentLine], _ theirs: [ContentLine]
    ) {
        if Self.isPrivate(name), theirs.isEmpty { return }
        if Self.isPrivate(name), ours.isEmpty { return take(theirs, for: ours) }
        guard !Self.say(theirs, the: base), !Self.say(theirs, the: ours) else { return }
        if Self.listed.contains(name), !Self.say(ours, the: base) {
            return mergeValues(base, ours, theirs)
        }
        if Self.several.contains(name) { return mergeLines(name, base, ours, theirs) }
        if Self.say(ours, the: base) { return take(theirs, for: ours) }
        if let newer = Self.newer(name, ours, theirs, winner) {
            if newer == .theirs { take(theirs, for: ours) }
            return
        }
        let side = Self.decided(ours: ours, theirs: theirs, winner)
        if side == .theirs { take(theirs, for: ours) }
        note(name, base, ours, theirs, side)
    }

    /// Each line by what it names: an attendee by the address, anything else by its value.
    private mutating func mergeLines(
        _ name: String, _ base: [ContentLine], _ ours: [ContentLine], _ theirs: [ContentLine]
    ) {
        let (first, mine, other) = (Self.keyed(base), Self.keyed(ours), Self.keyed(theirs))
        var change = Change()
        for (key, theirs) in other.sorted(by: { $0.value.number < $1.value.number }) {
            let (old, ours) = (first[key], mine[key])
            if let old, theirs.says(the: old) { continue }
            if let ours, ours.says(the: theirs) { continue }
            let isOurs = Self.say([ours].compactMap(\.self), the: [old].compactMap(\.self))
            let lines = [ours].compactMap(\.self)
            let side = isOurs ? .theirs : Self.decided(ours: lines, theirs: [theirs], winner)
            if side == .theirs {
                if let ours {
                    change.rewritten.append((ours, renamed(theirs)))
                } else {
                    change.added.append(renamed(theirs))
                }
            }
            if !isOurs { note(name, [old].compactMap(\.self), lines, [theirs], side) }
        }
        for (key, old) in first.sorted(by: { $0.value.number < $1.value.number }) where other[key] == nil {
            guard let ours = mine[key] else { continue }
            if ours.says(the: old) {
                change.old.append(ours)
            } else {
                note(name, [old], [ours], [], .ours)
            }
        }
        changes.append(change)
    }

    /// Each value by itself: what one side added comes in, what one side took out goes.
    private mutating func mergeValues(_ base: [ContentLine], _ ours: [ContentLine], _ theirs: [ContentLine]) {
        let (first, mine, other) = (Self.values(base), Self.values(ours), Self.values(theirs))
        let (old, known, new) = (Set(first.map(\.key)), Set(mine.map(\.key)), Set(other.map(\.key)))
        let kept = mine.filter { new.contains($0.key) || !old.contains($0.key) }
        let added = other.filter { !known.contains($0.key) && !old.contains($0.key) }
        guard kept.count < mine.count || !added.isEmpty else { return }
        take((kept + added).map(\.line), for: ours)
    }

    private static func keyed(_ lines: [ContentLine]) -> [String: ContentLine] {
        Dictionary(
            lines.map { line in
                switch line.name {
                case "ATTENDEE": (CalendarPerson.address(line), line)
                // A label goes with its group.
                case "X-ABLABEL": ((line.group ?? "") + ":" + line.value, line)
                default: (line.value, line)
                }
            }, uniquingKeysWith: { first, _ in first })
    }

    private static func values(_ lines: [ContentLine]) -> [(key: [String], line: ContentLine)] {
        lines.flatMap { line in
            ContentLine.split(line.value, at: ",").map { value in
                let single = ContentLine(line.name, line.parameters, value: String(value))
                return ([String(value), line["TZID"] ?? "", line["VALUE"] ?? ""], single)
            }
        }
    }

    // MARK: - Decisions

    /// What programs keep for themselves; never a conflict, and not deleted because the other side has none.
    private static func isPrivate(_ name: String) -> Bool { name.hasPrefix("X-") && !several.contains(name) }

    /// Who has the newer value of a property that is no person's doing; nil for any other.
    private static func newer(
        _ name: String, _ ours: [ContentLine], _ theirs: [ContentLine], _ winner: ContentMerge.Side
    ) -> ContentMerge.Side? {
        switch name {
        case "DTSTAMP", "LAST-MODIFIED", "REV", "SEQUENCE", "CREATED":
            // Numbers by their length first.
            let (mine, other) = (ours.first?.value ?? "", theirs.first?.value ?? "")
            return (other.count, other) > (mine.count, mine) ? .theirs : .ours
        case "PRODID", "VERSION", "CALSCALE": return .ours
        default: return isPrivate(name) ? decided(ours: ours, theirs: theirs, winner) : nil
        }
    }

    /// An edit beats a deletion, whoever wins otherwise.
    private static func decided(
        ours: [ContentLine], theirs: [ContentLine], _ winner: ContentMerge.Side
    ) -> ContentMerge.Side {
        if theirs.isEmpty { return .ours }
        return ours.isEmpty ? .theirs : winner
    }

    private static func say(_ lines: [ContentLine], the others: [ContentLine]) -> Bool {
        lines.count == others.count && zip(lines, others).allSatisfy { $0.says(the: $1) }
    }

    private mutating func take(_ theirs: [ContentLine], for ours: [ContentLine]) {
        let new = theirs.map(renamed)
        let common = min(new.count, ours.count)
        changes.append(
            Change(
                old: Array(ours[common...]),
                rewritten: Array(zip(ours[..<common], new[..<common])).map { ($0, $1) },
                added: Array(new[common...])))
    }

    /// The line with the new name of its group.
    private func renamed(_ line: ContentLine) -> ContentLine {
        guard let group = line.group, let name = groups[group] else { return line }
        return ContentLine(line.name, line.parameters, value: line.value, group: name)
    }

    private mutating func note(
        _ name: String, _ base: [ContentLine], _ ours: [ContentLine], _ theirs: [ContentLine],
        _ side: ContentMerge.Side
    ) {
        conflicts.append(
            .init(
                component: component.name, recurrence: component["RECURRENCE-ID"]?.value, property: name,
                base: base,
                ours: ours, theirs: theirs, winner: side))
    }
}
