// SPDX-License-Identifier: Apache-2.0
// Brings together what two sides changed of one object, property by property.

internal import Foundation
internal import Model

/// A three-way merge of documents, as a pure function.
///
/// What only one side changed is taken from it. What both changed to different values is a conflict, is
/// decided by the side that changed the component last (or the one that is preferred), and is listed.
/// Attendees are told apart by their addresses, numbers and dates by their values, overrides by their
/// RECURRENCE-ID. An edit beats a deletion. What belongs to programs — alarms, `X-` properties, stamps — is
/// never a conflict: alarms of both sides stay, and an `X-` property that one side lost is kept, since many
/// servers drop what they do not know.
package struct ContentMerge: Sendable {
    /// One of the two sides.
    package enum Side: Sendable, Hashable {
        case ours, theirs
    }

    /// What both sides changed differently.
    package struct Conflict: Sendable, Hashable {
        /// The component's name, such as `VEVENT`.
        package let component: String
        /// The RECURRENCE-ID of the override it is in; nil outside of one.
        package let recurrence: String?
        /// The property, of several that belong together the first; nil where a component was changed by one
        /// side and deleted by the other.
        package let property: String?
        /// What it was.
        package let base: [ContentLine]
        /// What we made of it.
        package let ours: [ContentLine]
        /// What they made of it.
        package let theirs: [ContentLine]
        /// Whose it is now.
        package let winner: Side
    }

    /// The merged object.
    package let bytes: [UInt8]
    /// What was decided for one side, for people to see.
    package let conflicts: [Conflict]

    /// Merges two documents that both come from `base`.
    ///
    /// - Parameter preferred: who wins each conflict; nil for who changed the component last, by
    /// LAST-MODIFIED,   and for `ours` where that is the same.
    package init(
        base: ContentDocument, ours: ContentDocument, theirs: ContentDocument,
        preferring preferred: Side? = nil
    ) {
        if theirs.says(the: base) || theirs.says(the: ours) {
            (bytes, conflicts) = (ours.bytes, [])
        } else if ours.says(the: base) {
            (bytes, conflicts) = (theirs.bytes, [])
        } else {
            var pass = MergePass(ours, theirs, preferred)
            pass.merge(base.components.first, ours.components.first, theirs.components.first)
            (bytes, conflicts) = (pass.patch.bytes, pass.conflicts)
        }
    }
}

/// One merge: the changes of `theirs` are put into `ours`.
private struct MergePass {
    private let theirDocument: ContentDocument
    private let preferred: ContentMerge.Side?
    private let ourZones: CalendarZones
    private let theirZones: CalendarZones
    private(set) var patch: ContentPatch
    private(set) var conflicts: [ContentMerge.Conflict] = []

    init(_ ours: ContentDocument, _ theirs: ContentDocument, _ preferred: ContentMerge.Side?) {
        theirDocument = theirs
        self.preferred = preferred
        ourZones = CalendarZones(ours.components.first?.components("VTIMEZONE") ?? [], local: .gmt)
        theirZones = CalendarZones(theirs.components.first?.components("VTIMEZONE") ?? [], local: .gmt)
        patch = ContentPatch(ours)
    }

    /// Merges one component, and those inside it; no deeper than the reader's limit.
    mutating func merge(_ base: Component?, _ ours: Component?, _ theirs: Component?) {
        guard let ours, let theirs else { return }
        let winner = preferred ?? newest(ours, theirs)
        let lines = LineMerge(base: base, ours: ours, theirs: theirs, winner: winner)
        for change in lines.changes {
            for line in change.old { patch.replace(line, by: nil, in: ours) }
            for (line, new) in change.rewritten { patch.replace(line, by: new, in: ours) }
            patch.add(change.added, to: ours)
        }
        conflicts += lines.conflicts
        mergeInner(base, ours, theirs, winner)
    }

    private mutating func mergeInner(
        _ base: Component?, _ ours: Component, _ theirs: Component, _ winner: ContentMerge.Side
    ) {
        let first = keyed(base?.components ?? [], ourZones)
        let mine = keyed(ours.components, ourZones)
        let other = keyed(theirs.components, theirZones)
        for (key, component) in mine.sorted(by: { $0.value.number < $1.value.number }) {
            if let their = other[key] {
                merge(first[key], component, their)
            } else if let old = first[key], component.name != "VTIMEZONE" {
                // They deleted it: that holds unless we changed it.
                if component.says(the: old) {
                    patch.remove(component)
                } else if component.name != "VALARM" {
                    conflict(component, old: old, ours: component, theirs: nil, winner: .ours)
                }
            }
        }
        for (key, component) in other.sorted(by: { $0.value.number < $1.value.number }) where mine[key] == nil
        {
            if let old = first[key], component.name != "VTIMEZONE" {
                // We deleted it: that holds unless they changed it.
                if component.says(the: old) { continue }
                if component.name != "VALARM" {
                    conflict(component, old: old, ours: nil, theirs: component, winner: .theirs)
                }
            }
            patch.add(component, of: theirDocument, to: ours)
        }
    }

    private mutating func conflict(
        _ component: Component, old: Component, ours: Component?, theirs: Component?,
        winner: ContentMerge.Side
    ) {
        conflicts.append(
            .init(
                component: component.name, recurrence: component["RECURRENCE-ID"]?.value, property: nil,
                base: old.properties, ours: ours?.properties ?? [], theirs: theirs?.properties ?? [],
                winner: winner))
    }

    /// Components by what tells them apart; several with the same by their order.
    private func keyed(_ components: [Component], _ zones: CalendarZones) -> [[String]: Component] {
        var keyed: [[String]: Component] = [:]
        var counts: [[String]: Int] = [:]
        for component in components {
            let key = key(component, zones)
            counts[key, default: 0] += 1
            keyed[key + [String(counts[key, default: 0])]] = component
        }
        return keyed
    }

    private func key(_ component: Component, _ zones: CalendarZones) -> [String] {
        switch component.name {
        case "VTIMEZONE": return [component.name, component["TZID"]?.text ?? ""]
        case "VALARM":
            if let uid = component["UID"] { return [component.name, uid.text] }
            return [component.name, component["ACTION"]?.value ?? "", component["TRIGGER"]?.value ?? ""]
        default:
            let recurrence = component["RECURRENCE-ID"].flatMap { CalendarMoment($0) }
            let moment = recurrence.map { $0.isDay ? $0.text : zones.instant(of: $0).description }
            return [component.name, component["UID"]?.text ?? "", moment ?? ""]
        }
    }

    private func newest(_ ours: Component, _ theirs: Component) -> ContentMerge.Side {
        func stamp(_ component: Component) -> WallTime? {
            let line = component["LAST-MODIFIED"] ?? component["REV"] ?? component["DTSTAMP"]
            return line.flatMap { CalendarMoment($0.value)?.wall }
        }
        guard let theirs = stamp(theirs) else { return .ours }
        guard let ours = stamp(ours) else { return .theirs }
        return theirs > ours ? .theirs : .ours
    }
}

extension Component {
    /// Whether the other component says the same in the same order, wherever it stands, but for volatile
    /// properties.
    fileprivate func says(the other: Component) -> Bool {
        let mine = properties.filter { !ContentDocument.isVolatile($0.name) }
        let others = other.properties.filter { !ContentDocument.isVolatile($0.name) }
        return name == other.name && mine.count == others.count
            && zip(mine, others).allSatisfy { $0.says(the: $1) } && components.count == other.components.count
            && zip(components, other.components).allSatisfy { $0.says(the: $1) }
    }
}
