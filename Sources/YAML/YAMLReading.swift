// SPDX-License-Identifier: Apache-2.0
// Reads values out of a YAML file and collects what is wrong with it, so that all is told at once.

package import Diagnostics

/// The faults found in a file so far, and the ways of finding them.
package struct YAMLReading: Sendable {
    /// What is wrong, in the order in which it was found.
    package private(set) var faults: [Diagnostic] = []

    /// A reading that has found nothing yet.
    package init() {}

    /// The faults as they stand in the file.
    package var sortedFaults: [Diagnostic] {
        faults.sorted {
            ($0.place.line ?? 0, $0.place.column ?? 0) < ($1.place.line ?? 0, $1.place.column ?? 0)
        }
    }

    /// Refuses the keys of a map that mean nothing (`YAML-KEY`), and what is no map.
    package mutating func checkKeys(of node: YAMLTree, _ known: [String]) {
        guard let pairs = node.pairs else { return refuse(node, expected: known.joined(separator: ", ")) }
        for (key, place, _) in pairs where !known.contains(key) {
            let facts = [
                "key": key, "suggestion": Suggestion.nearest(to: key, in: known) ?? "",
                "known": known.joined(separator: ", "),
            ]
            faults.append(YAMLError(.key, facts, at: place).diagnostic)
        }
    }

    /// The text under a key; nil where there is none (`YAML-MISSING` when it is required) or no text.
    package mutating func text(_ node: YAMLTree, _ key: String, isRequired: Bool = false) -> String? {
        guard let value = node[key] else {
            if isRequired { faults.append(YAMLError(.missing, ["key": key], at: node.place).diagnostic) }
            return nil
        }
        guard let text = value.scalar, !text.isEmpty else {
            refuse(value, expected: "…")
            return nil
        }
        return text
    }

    /// One of some words under a key.
    package mutating func word(_ node: YAMLTree, _ key: String, _ words: [String]) -> String? {
        guard let text = text(node, key) else { return nil }
        guard words.contains(text) else {
            refuse(node[key], expected: words.joined(separator: " | "))
            return nil
        }
        return text
    }

    /// A whole number of a range under a key.
    package mutating func number(
        _ node: YAMLTree, _ key: String, _ range: ClosedRange<Int>, isRequired: Bool = false
    ) -> Int? {
        guard let text = text(node, key, isRequired: isRequired) else { return nil }
        guard let number = Int(text), range.contains(number) else {
            let end = range.upperBound == .max ? "…" : String(range.upperBound)
            refuse(node[key], expected: "\(range.lowerBound)–\(end)")
            return nil
        }
        return number
    }

    /// Refuses a value (`YAML-VALUE`), saying what would be one.
    package mutating func refuse(_ node: YAMLTree?, expected: String) {
        add(YAMLError(.value, ["expected": expected]).diagnostic, at: node)
    }

    /// Adds a fault at the place of a node, with the node's value.
    package mutating func add(_ fault: Diagnostic, at node: YAMLTree?) {
        var fault = fault
        let (field, value) = (fault.place.field, fault.place.value ?? node?.scalar)
        fault.place = node?.place ?? fault.place
        fault.place.field = field
        fault.place.value = value
        faults.append(fault)
    }

    /// Adds a fault at the place of a node without its value, which perhaps nobody may see.
    package mutating func addHidden(_ fault: Diagnostic, at node: YAMLTree?) {
        add(fault, at: node)
        faults[faults.count - 1].place.value = nil
    }
}
