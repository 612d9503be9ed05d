// SPDX-License-Identifier: Apache-2.0
// The YAML that files of people may use: maps, lists and scalars with their positions; every scalar is text.

package import Diagnostics
internal import Yams

/// A node of a YAML file with its position.
///
/// Scalars are never typed by YAML, so that a key such as `no:` stays a word; anchors, aliases and tags are
/// refused, and Yams refuses keys that occur twice.
package struct YAMLTree: Sendable {
    /// What a node holds.
    package enum Content: Sendable {
        case scalar(String)
        case list([YAMLTree])
        case map([(key: YAMLTree, value: YAMLTree)])
    }

    /// What it holds.
    package let content: Content
    /// Where it stands.
    package let place: Place

    /// Parses one document.
    ///
    /// - Throws: `YAML-SYNTAX`, `YAML-FEATURE`.
    package static func parse(_ text: String, file: String) throws(YAMLError) -> YAMLTree {
        do {
            let parser = try Yams.Parser(yaml: text)
            // Nodes hold their anchors weakly, the parser for good: it must live until they have been looked at.
            return try withExtendedLifetime(parser) {
                guard let root = try parser.singleRoot() else {
                    throw YAMLError(.syntax, ["detail": "empty"], at: Place(file: file))
                }
                return try YAMLTree(root, file: file)
            }
        } catch let error as YAMLError {
            throw error
        } catch let error as YamlError {
            throw YAMLError(.syntax, ["detail": error.plainWords], at: error.place(in: file))
        } catch {
            throw YAMLError(.syntax, ["detail": ""], at: Place(file: file))
        }
    }

    private init(_ node: Node, file: String) throws(YAMLError) {
        place = Place(file: file, line: node.mark?.line, column: node.mark?.column)
        guard node.anchor == nil else { throw YAMLError(.feature, ["feature": "&"], at: place) }
        switch node {
        case .scalar(let scalar): content = .scalar(scalar.string)
        case .sequence(let sequence):
            var items: [YAMLTree] = []
            for item in sequence { items.append(try YAMLTree(item, file: file)) }
            content = .list(items)
        case .mapping(let mapping):
            var pairs: [(YAMLTree, YAMLTree)] = []
            for (key, value) in mapping {
                pairs.append((try YAMLTree(key, file: file), try YAMLTree(value, file: file)))
            }
            content = .map(pairs)
        case .alias: throw YAMLError(.feature, ["feature": "*"], at: place)
        }
    }

    /// A scalar that stands nowhere yet.
    package init(text: String) {
        self.init(.scalar(text), Place())
    }

    private init(_ content: Content, _ place: Place) {
        (self.content, self.place) = (content, place)
    }

    /// The text of a scalar.
    package var scalar: String? { if case .scalar(let text) = content { text } else { nil } }

    /// The items of a list; a scalar is a list of itself.
    package var items: [YAMLTree] { if case .list(let items) = content { items } else { [self] } }

    /// The pairs of a map with text keys.
    package var pairs: [(key: String, keyPlace: Place, value: YAMLTree)]? {
        guard case .map(let pairs) = content else { return nil }
        return pairs.map { ($0.key.scalar ?? "", $0.key.place, $0.value) }
    }

    /// The value under a key of a map.
    package subscript(key: String) -> YAMLTree? { pairs?.first { $0.key == key }?.value }
}

extension YAMLTree {
    /// Whether both say the same in the same order, wherever it stands.
    package func hasSameContent(as other: YAMLTree) -> Bool {
        switch (content, other.content) {
        case (.scalar(let left), .scalar(let right)): left == right
        case (.list(let left), .list(let right)):
            left.count == right.count && zip(left, right).allSatisfy { $0.hasSameContent(as: $1) }
        case (.map(let left), .map(let right)):
            left.count == right.count
                && zip(left, right).allSatisfy {
                    $0.key.hasSameContent(as: $1.key) && $0.value.hasSameContent(as: $1.value)
                }
        default: false
        }
    }

    /// The tree with another value at a path of keys and of numbers of items; a key that a map does not have comes
    /// last.
    package func setting(_ path: some Collection<String>, to value: YAMLTree) -> YAMLTree {
        guard let step = path.first else { return value }
        let rest = path.dropFirst()
        switch content {
        case .scalar: return self
        case .list(var items):
            guard let index = Int(step), items.indices.contains(index) else { return self }
            items[index] = items[index].setting(rest, to: value)
            return YAMLTree(.list(items), place)
        case .map(var pairs):
            if let index = pairs.firstIndex(where: { $0.key.scalar == step }) {
                pairs[index].value = pairs[index].value.setting(rest, to: value)
            } else if rest.isEmpty {
                pairs.append((key: YAMLTree(text: step), value: value))
            }
            return YAMLTree(.map(pairs), place)
        }
    }
}

extension YamlError {
    /// What is wrong, in Yams' words, without the excerpt.
    fileprivate var plainWords: String {
        switch self {
        case .scanner(_, let problem, _, _), .parser(_, let problem, _, _), .composer(_, let problem, _, _):
            problem
        case .duplicatedKeysInMapping(let duplicates, _):
            "duplicate key " + duplicates.joined(separator: ", ")
        default: String(describing: self)
        }
    }

    fileprivate func place(in file: String) -> Place {
        switch self {
        case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _):
            Place(file: file, line: mark.line, column: mark.column)
        case .duplicatedKeysInMapping(_, let context):
            Place(file: file, line: context.mark.line, column: context.mark.column)
        default: Place(file: file)
        }
    }
}
