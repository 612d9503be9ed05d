// SPDX-License-Identifier: Apache-2.0
// Changes one place of a mapping's text; comments, order and layout stay as they are.

internal import Diagnostics
internal import YAML

/// The text of a mapping file.
///
/// What is changed is found in the parsed tree and written into the text. The result is parsed again: where it means
/// anything but the old mapping with that one change, the change is refused.
package struct MappingText: Sendable, Hashable {
    /// The text as it is now.
    package private(set) var text: String

    /// A text, with the line ends of this system.
    package init(_ text: String) {
        self.text = text.replacing("\r\n", with: "\n").replacing("\r", with: "\n")
    }

    /// Gives the mapping another version.
    ///
    /// - Throws: `MAP-EDIT-VERSION` where the text has none that can be replaced; `YAML-…`.
    package mutating func setVersion(_ version: Int) throws {
        let tree = try YAMLTree.parse(text, file: "")
        let edited = tree["version"].flatMap { node -> String? in
            guard node.scalar != nil, var draft = TextPlaces(text).scalar(at: node.place) else { return nil }
            draft.replace(with: String(version))
            return draft.text
        }
        let expected = tree.setting(["version"], to: YAMLTree(text: String(version)))
        guard let edited, Self.means(expected, edited) else { throw MappingError(.editVersion) }
        text = edited
    }

    /// Adds a word to the list of words that a field knows (`enum`).
    ///
    /// - Parameters:
    ///   - old: the word as it comes, cleaned as the field's rule says.
    ///   - field: JSON name of the field, as findings name it: `billing_status`, `lines[2].kind`.
    /// - Throws: `MAP-EDIT-NO-LIST` where the field has no such list, or several; `MAP-EDIT-KNOWN` where the list has
    ///   the word; `MAP-EDIT-LAYOUT` where the text is laid out in a way that cannot be changed; `YAML-…`.
    package mutating func addWord(_ old: String, becoming new: String, to field: String) throws {
        let tree = try YAMLTree.parse(text, file: "")
        guard let path = tree.listPath(of: field), let list = tree.node(at: path), let pairs = list.pairs
        else { throw MappingError(.editNoList, ["field": field], at: Place(field: field)) }
        guard !pairs.contains(where: { $0.key == old }) else {
            throw MappingError(.editKnown, ["field": field, "value": old], at: Place(field: field))
        }
        let expected = tree.setting(path + [old], to: YAMLTree(text: new))
        let entry = "\(Self.scalar(old)): \(Self.scalar(new))"
        guard let edited = insert(entry, into: list), Self.means(expected, edited) else {
            throw MappingError(.editLayout, ["field": field], at: Place(field: field))
        }
        text = edited
    }

    /// The words that a field's list (`enum`) has for those that it knows, in its order; nil where the field has no
    /// list that refuses others, or several.
    package func choices(of field: String) -> [String]? {
        guard let tree = try? YAMLTree.parse(text, file: ""), let path = tree.listPath(of: field) else {
            return nil
        }
        return tree.node(at: path)?.pairs?.compactMap(\.value.scalar).reduce(into: []) { words, word in
            if !words.contains(word) { words.append(word) }
        }
    }

    /// The text with a pair behind the last one of a map, on its own line where the others have theirs.
    private func insert(_ entry: String, into map: YAMLTree) -> String? {
        let places = TextPlaces(text)
        guard let start = places.index(of: map.place) else { return nil }
        guard let last = map.pairs?.last else {
            guard text[start] == "{" else { return nil }
            return text.inserting(entry, at: text.index(after: start))
        }
        guard let value = places.scalar(at: last.value.place) else { return nil }
        if text[start] == "{" { return text.inserting(", " + entry, at: value.range.upperBound) }
        let lineEnd = text[value.range.upperBound...].firstIndex(of: "\n") ?? text.endIndex
        let indent = String(repeating: " ", count: (last.keyPlace.column ?? 1) - 1)
        return text.inserting("\n" + indent + entry, at: lineEnd)
    }

    /// Whether a text is the tree, word for word.
    private static func means(_ tree: YAMLTree, _ text: String) -> Bool {
        guard let found = try? YAMLTree.parse(text, file: "") else { return false }
        return found.hasSameContent(as: tree)
    }

    /// A word as YAML; in quotes unless it is plain in every place.
    private static func scalar(_ word: String) -> String {
        if word.wholeMatch(of: #/[A-Za-z][A-Za-z0-9_]*/#) != nil { return word }
        var quoted = "\""
        for scalar in word.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case _
            where scalar.value < 32 || (127..<160).contains(scalar.value)
                || [0x2028, 0x2029, 0xFEFF].contains(scalar.value):
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

/// Finds places of a YAML file in its text.
private struct TextPlaces {
    /// A scalar of the text.
    struct Scalar {
        var text: String
        let range: Range<String.Index>

        mutating func replace(with new: String) { text.replaceSubrange(range, with: new) }
    }

    private let text: String

    init(_ text: String) {
        self.text = text
    }

    /// Where a line and column are; columns count code points.
    func index(of place: Place) -> String.Index? {
        guard let line = place.line, let column = place.column else { return nil }
        let scalars = text.unicodeScalars
        var index = scalars.startIndex
        for _ in 1..<max(1, line) {
            guard let end = scalars[index...].firstIndex(of: "\n") else { return nil }
            index = scalars.index(after: end)
        }
        guard let found = scalars.index(index, offsetBy: column - 1, limitedBy: scalars.endIndex),
            found < scalars.endIndex
        else { return nil }
        return found
    }

    /// The scalar that begins at a place and ends on its line.
    func scalar(at place: Place) -> Scalar? {
        guard let start = index(of: place) else { return nil }
        let rest = text[start...].prefix { $0 != "\n" }
        let end: String.Index?
        switch rest.first {
        case "\"": end = rest.firstMatch(of: #/"(?:[^"\\]|\\.)*"/#)?.range.upperBound
        case "'": end = rest.firstMatch(of: #/'(?:[^']|'')*'/#)?.range.upperBound
        case "|", ">", "&", "*", "!", "{", "[", nil: end = nil
        default:
            let words = rest.prefix { !",{}[]".contains($0) }
            let plain = words.firstRange(of: " #").map { words[..<$0.lowerBound] } ?? words
            end = plain.lastIndex { $0 != " " }.map { text.index(after: $0) }
        }
        return end.map { Scalar(text: text, range: start..<$0) }
    }
}

extension String {
    fileprivate func inserting(_ new: String, at index: Index) -> String {
        var copy = self
        copy.insert(contentsOf: new, at: index)
        return copy
    }
}

extension YAMLTree {
    /// Where the only list of words is that refuses the words of a field that it does not have.
    fileprivate func listPath(of field: String) -> [String]? {
        let parts = field.replacing(#/\[\d+\]/#, with: "").split(separator: ".").map(String.init)
        guard let rule = rulePath(of: parts) else { return nil }
        let lists = refusingLists(at: rule)
        return lists.count == 1 ? lists[0] : nil
    }

    /// Where the rule of a field is: its own, one of a child row, one of a block.
    private func rulePath(of parts: [String]) -> [String]? {
        let name = parts.joined(separator: ".")
        var candidates = [["fields", name]]
        for cut in 1..<max(1, parts.count) {
            let head = parts[..<cut].joined(separator: ".")
            let tail = parts[cut...].joined(separator: ".")
            candidates.append(["fields", head, "fields", tail])
            // A block that several use means several fields at once: that is a person's decision.
            if let block = self["fields"]?[head]?["use"]?.scalar, uses(of: block) == 1 {
                candidates.append(["defs", block, tail])
            }
        }
        return candidates.first { node(at: $0) != nil }
    }

    /// How often a block is used.
    private func uses(of block: String) -> Int {
        switch content {
        case .scalar: 0
        case .list(let items): items.reduce(0) { $0 + $1.uses(of: block) }
        case .map(let pairs):
            pairs.reduce(0) { count, pair in
                let isUse = pair.key.scalar == "use" && pair.value.scalar == block
                return count + (isUse ? 1 : pair.value.uses(of: block))
            }
        }
    }

    private func refusingLists(at path: [String]) -> [[String]] {
        guard let rule = node(at: path) else { return [] }
        let own = rule["enum"]?.pairs != nil && rule["else"]?.scalar == "error" ? [path + ["enum"]] : []
        guard case .list(let items)? = rule["first"]?.content else { return own }
        return own + items.indices.flatMap { refusingLists(at: path + ["first", String($0)]) }
    }

    /// The node at a path of keys and of numbers of items.
    fileprivate func node(at path: [String]) -> YAMLTree? {
        path.reduce(self as YAMLTree?) { node, step in
            guard case .list(let items)? = node?.content else { return node?[step] }
            return Int(step).flatMap { items.indices.contains($0) ? items[$0] : nil }
        }
    }
}
