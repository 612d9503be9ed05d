// SPDX-License-Identifier: Apache-2.0
// The values of properties, for everything that has an address.

internal import CRM
internal import Crypto
internal import Foundation
internal import HTTPTypes
internal import Model
internal import XML

/// Properties that are asked for, in their order.
struct DAVPropertyList: Sendable {
    struct Entry: Sendable {
        let name: XMLName
        let property: DAVProperty?
        /// How it was asked for, with what is inside.
        let asked: XMLTree?
    }

    var entries: [Entry]
    /// Whether those that only programs understand are meant too.
    var hasDead = false
    /// Whether only names are.
    var isNamesOnly = false
    /// Whether what is not there is passed over.
    var isMinimal = false

    /// What `prop` lists.
    init(_ prop: XMLTree) {
        var seen: Set<XMLName> = []
        entries = prop.children.filter { seen.insert($0.name).inserted }.map {
            Entry(name: $0.name, property: DAVProperty.byName[$0.name], asked: $0)
        }
    }

    /// All that the standard means, or the names of all that there are.
    init(all: Bool) {
        entries = DAVProperty.allCases.filter { all ? $0.isOfAll : !$0.isData }.map {
            Entry(name: XMLName(prefixed: $0.rawValue), property: $0, asked: nil)
        }
        (hasDead, isNamesOnly, isMinimal) = (true, !all, true)
    }

    /// Whether objects' bytes are asked for.
    var needsBytes: Bool { entries.contains { $0.property?.isData == true } }
}

/// Writes properties for one asker.
struct DAVValues: Sendable {
    let user: AppUser
    /// Where floating times and days are.
    let zone: TimeZone

    // MARK: - A thing and its properties

    /// Writes the properties of one thing as the answer about it.
    ///
    /// - Parameter bytes: of an object, where they are asked for.
    func response(
        _ node: DAVNode, _ list: DAVPropertyList, bytes: [UInt8]? = nil, into writer: inout DAVWriter
    ) {
        writer.element("D:response") { writer in
            writer.href(node.href)
            propstats(of: node, list, bytes: bytes, into: &writer)
        }
    }

    func propstats(
        of node: DAVNode, _ list: DAVPropertyList, bytes: [UInt8]?, into writer: inout DAVWriter
    ) {
        var (found, missing) = (DAVWriter(), DAVWriter())
        let dead = deadProperties(of: node.place)
        for entry in list.entries {
            if let property = entry.property {
                var value = DAVWriter()
                if write(property, of: node, asked: entry.asked, bytes: bytes, into: &value) {
                    if list.isNamesOnly { found.empty(entry.name) } else { found.append(value) }
                    continue
                }
            } else if let value = dead[entry.name.clark] {
                found.raw(value)
                continue
            }
            if !list.isMinimal { missing.empty(entry.name) }
        }
        if list.hasDead {
            for (name, value) in dead.sorted(by: { $0.key < $1.key }) {
                if list.isNamesOnly { found.empty(Self.name(name)) } else { found.raw(value) }
            }
        }
        if !found.bytes.isEmpty || missing.bytes.isEmpty { writer.propstat(.ok, found) }
        if !missing.bytes.isEmpty { writer.propstat(.notFound, missing) }
    }

    private func deadProperties(of place: DAVPlace) -> [String: String] {
        switch place {
        case .collection(let collection): collection.properties
        case .object(let object, _): object.properties
        default: [:]
        }
    }

    private static func name(_ clark: String) -> XMLName {
        let parts = clark.dropFirst().split(separator: "}", maxSplits: 1, omittingEmptySubsequences: false)
        return XMLName(String(parts.last ?? ""), namespace: parts.first.map(String.init))
    }

    // MARK: - One property

    /// Writes a property; false where the thing has none of this name.
    func write(
        _ property: DAVProperty, of node: DAVNode, asked: XMLTree?, bytes: [UInt8]?,
        into writer: inout DAVWriter
    ) -> Bool {
        let name = property.rawValue
        switch (property, node.place) {
        case (.currentUserPrincipal, _):
            writer.element(name) { $0.href(DAVPath.principal(user.login)) }
        case (.principalCollectionSet, _):
            writer.element(name) { $0.href(DAVPath.href(["principals"], isCollection: true)) }
        case (.resourceType, _): writer.element(name) { $0.raw(Self.types(node.place)) }
        case (.supportedLock, _): writer.raw("<\(name)/>")
        case (.currentUserPrivilegeSet, _):
            writer.element(name) { writer in
                for privilege in privileges(of: node.place) {
                    writer.raw("<D:privilege><\(privilege)/></D:privilege>")
                }
            }
        case (.supportedReportSet, _):
            writer.element(name) { writer in
                for report in Self.reports(of: node.place) {
                    writer.raw(
                        "<D:supported-report><D:report><\(report)/></D:report></D:supported-report>")
                }
            }
        case (_, .principal(let principal)): return write(property, of: principal, node, into: &writer)
        case (_, .collection(let collection)): return write(property, of: collection, into: &writer)
        case (_, .object(let object, let collection)):
            return write(property, of: object, collection, bytes, asked, into: &writer)
        case (.displayName, _):
            // A home without name of its own is its owner's.
            guard case .home = node.place else { return false }
            writer.element(name, text: user.name)
        case (.owner, .home): writer.element(name) { $0.href(DAVPath.principal(user.login)) }
        default: return false
        }
        return true
    }

    private func write(
        _ property: DAVProperty, of principal: DAVPrincipal, _ node: DAVNode, into writer: inout DAVWriter
    ) -> Bool {
        let name = property.rawValue
        switch property {
        case .displayName: writer.element(name, text: principal.name)
        case .principalURL: writer.element(name) { $0.href(node.href) }
        case .alternateURISet, .groupMemberSet, .groupMembership: writer.raw("<\(name)/>")
        case .calendarUserAddressSet:
            writer.element(name) { writer in
                if let email = principal.email { writer.href("mailto:\(email)") }
                writer.href(node.href)
            }
        case .calendarUserType: writer.element(name, text: "INDIVIDUAL")
        // Where others keep theirs is known; what is there is not.
        case .calendarHomeSet:
            writer.element(name) { $0.href(DAVSpace.calendars.home(principal.login)) }
        case .addressbookHomeSet:
            writer.element(name) { $0.href(DAVSpace.addressbooks.home(principal.login)) }
        case .resourceID: writer.element(name) { $0.href(Self.urn("principal", principal.id)) }
        default: return false
        }
        return true
    }

    private func write(
        _ property: DAVProperty, of collection: DAVCollection, into writer: inout DAVWriter
    ) -> Bool {
        let name = property.rawValue
        func optional(_ value: String?) -> Bool {
            guard let value else { return false }
            writer.element(name, text: value)
            return true
        }
        switch (property, collection.kind) {
        case (.displayName, _): writer.element(name, text: collection.name ?? collection.slug)
        case (.owner, _): writer.element(name) { $0.href(DAVPath.principal(user.login)) }
        case (.resourceID, _):
            writer.element(name) { $0.href(Self.urn("collection", collection.id, collection.epoch)) }
        case (.syncToken, _): writer.element(name, text: DAVToken(collection).text)
        case (.ctag, _): writer.element(name, text: "\(collection.epoch)-\(collection.sequence)")
        case (.calendarDescription, .calendar), (.addressbookDescription, .addressbook):
            return optional(collection.description)
        case (.calendarColor, .calendar), (.calendarColor, .addressbook): return optional(collection.color)
        case (.calendarOrder, .calendar), (.calendarOrder, .addressbook):
            return optional(collection.position.map(String.init))
        case (.supportedComponents, .calendar):
            writer.element(name) { writer in
                for component in collection.components {
                    writer.raw("<C:comp name=\"")
                    writer.text(component)
                    writer.raw("\"/>")
                }
            }
        case (.supportedCalendarData, .calendar):
            writer.raw("<\(name)><C:calendar-data content-type=\"text/calendar\" version=\"2.0\"/></\(name)>")
        case (.supportedAddressData, .addressbook):
            let versions = ["3.0", "4.0"].map {
                "<CR:address-data-type content-type=\"text/vcard\" version=\"\($0)\"/>"
            }
            writer.raw("<\(name)>\(versions.joined())</\(name)>")
        case (.calendarCollations, .calendar), (.cardCollations, .addressbook):
            let prefix = property == .calendarCollations ? "C" : "CR"
            writer.element(name) { writer in
                for collation in ["i;ascii-casemap", "i;octet", "i;unicode-casemap"] {
                    writer.element("\(prefix):supported-collation", text: collation)
                }
            }
        case (.calendarMaxSize, .calendar), (.cardMaxSize, .addressbook):
            writer.element(name, text: String(DAVRoutes.largest))
        default: return false
        }
        return true
    }

    private func write(
        _ property: DAVProperty, of object: DAVObject, _ collection: DAVCollection, _ bytes: [UInt8]?,
        _ asked: XMLTree?, into writer: inout DAVWriter
    ) -> Bool {
        let name = property.rawValue
        switch property {
        case .etag:
            writer.raw("<\(name)>&quot;")
            writer.raw(object.etag)
            writer.raw("&quot;</\(name)>")
        case .contentType: writer.element(name, text: object.contentType)
        case .contentLength: writer.element(name, text: String(object.size))
        case .lastModified: writer.element(name, text: DAVDate.http(object.modifiedAt))
        case .creationDate: writer.element(name, text: object.madeAt.description)
        case .owner: writer.element(name) { $0.href(DAVPath.principal(user.login)) }
        case .resourceID: writer.element(name) { $0.href(Self.urn("object", object.id)) }
        case .scheduleTag:
            guard let tag = object.scheduleTag else { return false }
            writer.element(name, text: "\"\(tag)\"")
        case .calendarData where collection.kind == .calendar,
            .addressData where collection.kind == .addressbook:
            guard let bytes else { return false }
            writer.element(name) { $0.text(data(bytes, asked: asked)) }
        default: return false
        }
        return true
    }

    // MARK: - What things are and can

    private static func types(_ place: DAVPlace) -> String {
        switch place {
        case .principal: "<D:collection/><D:principal/>"
        case .collection(let collection):
            switch collection.kind {
            case .calendar: "<D:collection/><C:calendar/>"
            case .addressbook: "<D:collection/><CR:addressbook/>"
            case .plain: "<D:collection/>"
            }
        case .object: ""
        default: "<D:collection/>"
        }
    }

    private func privileges(of place: DAVPlace) -> [String] {
        switch place {
        case .collection, .object, .home:
            [
                "D:all", "D:read", "D:read-current-user-privilege-set", "D:write", "D:write-properties",
                "D:write-content", "D:bind", "D:unbind",
            ]
        default: ["D:read", "D:read-current-user-privilege-set"]
        }
    }

    static func reports(of place: DAVPlace) -> [String] {
        let everywhere = ["D:expand-property"]
        return switch place {
        case .collection(let collection):
            switch collection.kind {
            case .calendar:
                everywhere + [
                    "D:sync-collection", "C:calendar-multiget", "C:calendar-query", "C:free-busy-query",
                ]
            case .addressbook:
                everywhere + ["D:sync-collection", "CR:addressbook-multiget", "CR:addressbook-query"]
            case .plain: everywhere + ["D:sync-collection"]
            }
        case .root, .principals, .principal:
            everywhere + [
                "D:principal-match", "D:principal-property-search", "D:principal-search-property-set",
            ]
        case .home: everywhere + ["D:principal-match"]
        default: everywhere
        }
    }

    /// A name for ever, from what never changes.
    private static func urn(_ kind: String, _ numbers: Int...) -> String {
        let text = kind + numbers.map { " \($0)" }.joined()
        var bytes = Array(SHA256.hash(data: Array(text.utf8)).prefix(16))
        (bytes[6], bytes[8]) = (bytes[6] & 0x0F | 0x80, bytes[8] & 0x3F | 0x80)
        let hex = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        let parts = [hex[0..<4], hex[4..<6], hex[6..<8], hex[8..<10], hex[10...]].map { $0.joined() }
        return "urn:uuid:" + parts.joined(separator: "-")
    }
}

/// Moments as HTTP writes them.
enum DAVDate {
    /// `Sun, 06 Nov 1994 08:49:37 GMT`.
    ///
    /// - Source: RFC 9110, 5.6.7.
    static func http(_ time: Timestamp) -> String {
        let iso = time.description
        let parts = iso.split { "-T:Z".contains($0) }.compactMap { Int($0) }
        guard parts.count == 6 else { return iso }
        let day = Int(
            (time.microsecondsSince1970 / 1_000_000).quotientAndRemainder(dividingBy: 86_400).quotient)
        let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][((day % 7) + 7) % 7]
        let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
        return "\(weekday), \(two(parts[2])) \(months[parts[1] - 1]) \(parts[0]) "
            + "\(two(parts[3])):\(two(parts[4])):\(two(parts[5])) GMT"
    }
}
