// SPDX-License-Identifier: Apache-2.0
// One object of an address book: a vCard.

internal import Diagnostics

/// What a CardDAV server must know about a vCard before it stores it.
///
/// - Source: RFC 6352, 5.1: one vCard, with a UID.
package struct ContactObject: Sendable {
    /// The versions that are read.
    package enum Version: String, Sendable, CaseIterable {
        case v2 = "2.1"
        case v3 = "3.0"
        case v4 = "4.0"
    }

    /// The document that it was read from.
    package let document: ContentDocument
    /// The vCard.
    package let card: Component
    /// Its UID.
    package let uid: String
    /// Its version; 3.0 where it says none that is known.
    package let version: Version

    /// The vCard that a document holds.
    ///
    /// - Throws: `ICALENDAR-NOT-CONTACT`, `-NO-UID`.
    package init(_ document: ContentDocument) throws(ICalendarError) {
        guard document.components.count == 1, let card = document.components.first, card.name == "VCARD"
        else {
            throw ICalendarError(.notContact)
        }
        self.document = document
        self.card = card
        uid = try CalendarObject.uid(of: card).text
        version = card["VERSION"].flatMap { Version(rawValue: $0.value.trimmingBlanks) } ?? .v3
    }
}
