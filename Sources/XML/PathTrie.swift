// SPDX-License-Identifier: Apache-2.0
// The element and attribute paths that a reader keeps, as a tree; everything else is passed over.

/// A name with its namespace, never its prefix.
package struct XMLName: Sendable, Hashable {
    /// Namespace URI; nil for none. One that ends in `*` stands for all that begin like it (`…camt.053.001.*`).
    package let namespace: String?
    /// Name without prefix.
    package let local: String

    /// A name; without namespace it means no namespace at all.
    package init(_ local: String, namespace: String? = nil) {
        self.local = local
        self.namespace = namespace
    }
}

/// Which paths below a record element are captured; a path used twice is one node.
package struct PathTrie: Sendable {
    /// One captured place below the record; node 0 is the record element itself.
    package typealias Node = Int

    struct Entry: Sendable {
        let name: XMLName
        let isAttribute: Bool
        var children: [Node] = []
        var keepsText = false
        var isSkipped = false
    }

    /// Names of the elements that begin a record, at the root or at any depth outside another record.
    package let records: [XMLName]
    private(set) var entries: [Entry]

    /// The record element.
    package static let record: Node = 0

    /// A trie that keeps nothing yet but the record elements themselves.
    package init(records: [XMLName]) {
        self.records = records
        entries = [Entry(name: XMLName("record"), isAttribute: false)]
    }

    /// Namespaces of its names that end in `*`.
    var namespacePatterns: [String] {
        Set((records + entries.map(\.name)).compactMap(\.namespace).filter { $0.hasSuffix("*") }).sorted()
    }

    /// Number of nodes.
    package var count: Int { entries.count }

    /// The child element of a node that has a name without namespace; nil where it is not kept, or passed over.
    package func child(_ local: String, of parent: Node) -> Node? {
        entries[parent].children.first { child in
            let entry = entries[child]
            return entry.name.local == local && entry.name.namespace == nil && !entry.isAttribute
                && !entry.isSkipped
        }
    }

    /// Whether a node's text is kept.
    package func keepsText(_ node: Node) -> Bool { entries[node].keepsText }

    /// The child element of a node, made when it is new.
    package mutating func element(_ name: XMLName, of parent: Node) -> Node {
        child(name, isAttribute: false, of: parent)
    }

    /// The attribute of a node's element, made when it is new; its value is kept.
    package mutating func attribute(_ name: XMLName, of parent: Node) -> Node {
        let node = child(name, isAttribute: true, of: parent)
        entries[node].keepsText = true
        return node
    }

    /// Keeps the text directly inside a node's element.
    package mutating func keepText(of node: Node) {
        entries[node].keepsText = true
    }

    /// Passes over a node's element with all that is in it; its text counts for the record's size only.
    package mutating func skip(_ node: Node) {
        entries[node].isSkipped = true
    }

    private mutating func child(_ name: XMLName, isAttribute: Bool, of parent: Node) -> Node {
        let known = entries[parent].children.first {
            entries[$0].name == name && entries[$0].isAttribute == isAttribute
        }
        if let known { return known }
        entries.append(Entry(name: name, isAttribute: isAttribute))
        entries[parent].children.append(entries.count - 1)
        return entries.count - 1
    }
}

extension PathTrie {
    /// The children of a node, in the order they were made.
    package func children(of node: Node) -> [Node] { entries[node].children }

    /// A node's name, with `@` for attributes and a mark for what is passed over.
    package func describe(_ node: Node) -> String {
        let entry = entries[node]
        return (entry.isAttribute ? "@" : "") + entry.name.local + (entry.isSkipped ? " (skip)" : "")
    }
}
