// SPDX-License-Identifier: Apache-2.0
// PROPPATCH: names, colours, and properties that only programs understand; all of a request or nothing.

internal import CRM
internal import Diagnostics
internal import HTTPTypes
internal import Hummingbird
internal import PostgreSQL
internal import XML

/// Properties that are to be set or taken away, in the order of the request.
struct DAVPropertyChanges {
    /// One of them; without a value it is taken away.
    struct Change {
        let name: XMLName
        let value: XMLTree?
    }

    /// Why one is refused.
    enum Fault: Error {
        case protected
        case tooLarge
    }

    /// Bytes of all properties of one thing that only programs understand.
    static let room = 64 << 10

    private(set) var changes: [Change] = []

    /// What a body asks for, inside its outermost element.
    init(_ body: XMLTree) {
        for step in body.children {
            guard step.name == .dav("set") || step.name == .dav("remove"), let prop = step.child(.dav("prop"))
            else { continue }
            let isSet = step.name == .dav("set")
            changes += prop.children.map { Change(name: $0.name, value: isSet ? $0 : nil) }
        }
    }

    /// What a collection looks like afterwards, and which changes are refused.
    ///
    /// - Parameter isNew: whether it is made by this request, which may say what it holds.
    func applied(
        to look: DAVCollectionLook, isNew: Bool = false
    ) -> (look: DAVCollectionLook, faults: [(name: XMLName, fault: Fault)]) {
        var look = look
        var faults: [(name: XMLName, fault: Fault)] = []
        for change in changes {
            let text = change.value?.text.trimmingBlanks
            switch DAVProperty.byName[change.name] {
            case .displayName: look.name = text.map { String($0.prefix(255)) }
            case .calendarDescription, .addressbookDescription:
                look.description = text.map { String($0.prefix(4000)) }
            case .calendarColor: look.color = text.map { String($0.prefix(32)) }
            case .calendarOrder: look.position = text.flatMap { Int32($0) }.map(Int.init)
            case .resourceType where isNew, .supportedComponents where isNew: break
            case .some: faults.append((change.name, .protected))
            case nil: look.properties[change.name.clark] = change.value?.outerXML
            }
        }
        if Self.size(look.properties) > Self.room {
            faults += changes.filter { DAVProperty.byName[$0.name] == nil }.map { ($0.name, .tooLarge) }
        }
        return (look, faults)
    }

    /// The same for an object, all of whose known properties follow from its bytes.
    func applied(
        to properties: [String: String]
    ) -> (properties: [String: String], faults: [(name: XMLName, fault: Fault)]) {
        var look = DAVCollectionLook()
        look.properties = properties
        var (after, faults) = applied(to: look)
        faults += changes.filter { DAVProperty.byName[$0.name]?.isWritable == true }.map {
            ($0.name, .protected)
        }
        return (after.properties, faults)
    }

    private static func size(_ properties: [String: String]) -> Int {
        properties.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
    }

    /// Writes what became of each change.
    func write(_ faults: [(name: XMLName, fault: Fault)], into writer: inout DAVWriter) {
        let refused = Dictionary(faults.map { ($0.name, $0.fault) }) { first, _ in first }
        var (done, protected, large) = (DAVWriter(), DAVWriter(), DAVWriter())
        var seen: Set<XMLName> = []
        for change in changes where seen.insert(change.name).inserted {
            switch refused[change.name] {
            case .protected: protected.empty(change.name)
            case .tooLarge: large.empty(change.name)
            case nil: done.empty(change.name)
            }
        }
        if !done.bytes.isEmpty { writer.propstat(faults.isEmpty ? .ok : .failedDependency, done) }
        if !protected.bytes.isEmpty {
            writer.propstat(.forbidden, error: "<D:cannot-modify-protected-property/>", protected)
        }
        if !large.bytes.isEmpty { writer.propstat(.insufficientStorage, large) }
    }
}

extension DAVRoutes {
    /// - Source: RFC 4918, 9.2.
    func proppatch(_ asked: DAVRequest) async throws -> Response {
        guard let body = try await asked.xml(), body.name == .dav("propertyupdate") else {
            throw DAVRefusal.badRequest
        }
        let changes = DAVPropertyChanges(body)
        guard !changes.changes.isEmpty else { throw DAVRefusal.badRequest }
        let node = try await node(asked.path, for: asked.user)
        let faults: [(name: XMLName, fault: DAVPropertyChanges.Fault)]
        switch node.place {
        case .collection(let collection):
            let after = changes.applied(to: DAVCollectionLook(collection))
            faults = after.faults
            if faults.isEmpty {
                try await pool.withConnection {
                    try await DAVCollections.set(after.look, of: collection.id, on: $0)
                }
            }
        case .object(let object, _):
            let after = changes.applied(to: object.properties)
            faults = after.faults
            if faults.isEmpty {
                try await pool.withConnection {
                    try await DAVObjects.set(after.properties, of: object.id, on: $0)
                }
            }
        default: faults = changes.changes.map { ($0.name, .protected) }
        }
        if faults.isEmpty, asked.prefers("return=minimal") { return DAVAnswer.empty(.ok) }
        return DAVAnswer.multistatus { writer in
            writer.element("D:response") { writer in
                writer.href(node.href)
                changes.write(faults, into: &writer)
            }
        }
    }
}
