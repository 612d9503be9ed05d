// SPDX-License-Identifier: Apache-2.0
// REPORT: questions about collections; each has a file of its own.

internal import CRM
internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import XML

extension DAVRoutes {
    /// - Source: RFC 3253, 3.6.
    func report(_ asked: DAVRequest) async throws -> Response {
        guard let body = try await asked.xml() else { throw DAVRefusal.badRequest }
        let node = try await node(asked.path, for: asked.user)
        let report = DAVReport(asked: asked, body: body, node: node, zone: zone)
        switch body.name {
        case .dav("sync-collection"): return try await synchronise(report)
        case .calendar("calendar-multiget"): return try await multiget(report, .calendar)
        case .card("addressbook-multiget"): return try await multiget(report, .addressbook)
        case .calendar("calendar-query"): return try await calendarQuery(report)
        case .calendar("free-busy-query"): return try await freeBusy(report)
        case .card("addressbook-query"): return try await addressbookQuery(report)
        case .dav("expand-property"): return try await expandProperties(report)
        case .dav("principal-match"): return try await principalMatch(report)
        case .dav("principal-property-search"): return try await principalSearch(report)
        case .dav("principal-search-property-set"): return Self.searchableProperties
        default: throw DAVRefusal(.forbidden, .dav("supported-report"))
        }
    }
}

/// A question.
struct DAVReport: Sendable {
    let asked: DAVRequest
    let body: XMLTree
    /// What it is asked of.
    let node: DAVNode
    /// Where floating times and days are.
    let zone: TimeZone

    var values: DAVValues { DAVValues(user: asked.user, zone: zone) }

    /// The properties that the answer is to have; none but etags where nothing is said.
    var properties: DAVPropertyList {
        guard let prop = body.child(.dav("prop")) else {
            var list = DAVPropertyList(all: true)
            list.entries = list.entries.filter {
                body.child(.dav("propname")) != nil || $0.property?.isData != true
            }
            list.isNamesOnly = body.child(.dav("propname")) != nil
            return list
        }
        var list = DAVPropertyList(prop)
        list.isMinimal = asked.prefers("return=minimal")
        return list
    }

    /// The collection that it is asked of.
    ///
    /// - Throws: 403 for anything else, and for one of another kind.
    func collection(_ kind: DAVCollection.Kind?) throws(DAVRefusal) -> DAVCollection {
        guard case .collection(let collection) = node.place, kind == nil || collection.kind == kind else {
            throw DAVRefusal(.forbidden, .dav("supported-report"))
        }
        return collection
    }

    /// How many answers are wanted at most; nil for as many as there are.
    ///
    /// - Source: RFC 5323, 5.17; RFC 6352, 10.6.
    func limit(in namespace: DAVNamespace) throws(DAVRefusal) -> Int? {
        guard let limit = body.child(XMLName("limit", namespace: namespace.uri)) else { return nil }
        let text = limit.child(XMLName("nresults", namespace: namespace.uri))?.text.trimmingBlanks
        guard let number = text.flatMap({ Int($0) }), number > 0 else { throw .badRequest }
        return number
    }
}

extension DAVWriter {
    /// Writes that an answer is cut off.
    ///
    /// - Source: RFC 6578, 3.6; RFC 6352, 8.6.2.
    mutating func cutOff(_ href: String) {
        response(href, .insufficientStorage, error: "<D:number-of-matches-within-limits/>")
    }
}
