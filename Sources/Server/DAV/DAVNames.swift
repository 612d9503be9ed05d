// SPDX-License-Identifier: Apache-2.0
// The names of WebDAV, CalDAV and CardDAV.

internal import XML

/// The namespaces, under the prefixes that answers use.
enum DAVNamespace: String, CaseIterable {
    case dav = "D"
    case calendar = "C"
    case card = "CR"
    case server = "CS"
    case apple = "A"

    var uri: String {
        switch self {
        case .dav: "DAV:"
        case .calendar: "urn:ietf:params:xml:ns:caldav"
        case .card: "urn:ietf:params:xml:ns:carddav"
        case .server: "http://calendarserver.org/ns/"
        case .apple: "http://apple.com/ns/ical/"
        }
    }

    /// What the outermost element of an answer declares.
    static let declarations = allCases.map { " xmlns:\($0.rawValue)=\"\($0.uri)\"" }.joined()
}

extension XMLName {
    /// A name of WebDAV itself.
    static func dav(_ local: String) -> XMLName { XMLName(local, namespace: DAVNamespace.dav.uri) }
    /// A name of CalDAV.
    static func calendar(_ local: String) -> XMLName { XMLName(local, namespace: DAVNamespace.calendar.uri) }
    /// A name of CardDAV.
    static func card(_ local: String) -> XMLName { XMLName(local, namespace: DAVNamespace.card.uri) }

    /// `{namespace}local`.
    var clark: String { "{\(namespace ?? "")}\(local)" }

    /// The name that a name with one of our prefixes means.
    init(prefixed name: String) {
        let parts = name.split(separator: ":", maxSplits: 1).map(String.init)
        let space = parts.count == 2 ? DAVNamespace(rawValue: parts[0]) : nil
        self.init(parts.last ?? name, namespace: space?.uri)
    }
}

/// The properties that have a meaning here; the raw values are their elements as answers write them.
enum DAVProperty: String, CaseIterable {
    case creationDate = "D:creationdate"
    case displayName = "D:displayname"
    case contentLength = "D:getcontentlength"
    case contentType = "D:getcontenttype"
    case etag = "D:getetag"
    case lastModified = "D:getlastmodified"
    case resourceType = "D:resourcetype"
    case supportedLock = "D:supportedlock"
    case owner = "D:owner"
    case currentUserPrincipal = "D:current-user-principal"
    case principalURL = "D:principal-URL"
    case principalCollectionSet = "D:principal-collection-set"
    case alternateURISet = "D:alternate-URI-set"
    case groupMemberSet = "D:group-member-set"
    case groupMembership = "D:group-membership"
    case currentUserPrivilegeSet = "D:current-user-privilege-set"
    case supportedReportSet = "D:supported-report-set"
    case syncToken = "D:sync-token"
    case resourceID = "D:resource-id"
    case calendarHomeSet = "C:calendar-home-set"
    case calendarUserAddressSet = "C:calendar-user-address-set"
    case calendarUserType = "C:calendar-user-type"
    case calendarDescription = "C:calendar-description"
    case supportedComponents = "C:supported-calendar-component-set"
    case supportedCalendarData = "C:supported-calendar-data"
    case calendarCollations = "C:supported-collation-set"
    case calendarMaxSize = "C:max-resource-size"
    case scheduleTag = "C:schedule-tag"
    case calendarData = "C:calendar-data"
    case addressbookHomeSet = "CR:addressbook-home-set"
    case addressbookDescription = "CR:addressbook-description"
    case supportedAddressData = "CR:supported-address-data"
    case cardCollations = "CR:supported-collation-set"
    case cardMaxSize = "CR:max-resource-size"
    case addressData = "CR:address-data"
    case ctag = "CS:getctag"
    case calendarColor = "A:calendar-color"
    case calendarOrder = "A:calendar-order"

    static let byName = Dictionary(
        uniqueKeysWithValues: allCases.map { (XMLName(prefixed: $0.rawValue), $0) })

    /// Whether programs may set it.
    var isWritable: Bool {
        switch self {
        case .displayName, .calendarDescription, .addressbookDescription, .calendarColor, .calendarOrder: true
        default: false
        }
    }

    /// Whether `allprop` means it.
    ///
    /// - Source: RFC 4918, 9.1: the properties of that document; later ones must be asked for by name.
    var isOfAll: Bool {
        switch self {
        case .creationDate, .displayName, .contentLength, .contentType, .etag, .lastModified, .resourceType,
            .supportedLock:
            true
        default: false
        }
    }

    /// Whether its value is what stands in an object's bytes.
    var isData: Bool { self == .calendarData || self == .addressData }
}
