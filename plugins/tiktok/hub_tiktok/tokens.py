"""The way to a pair of tokens: the page of consent, the exchange of its code, the renewal."""

from __future__ import annotations

from urllib.parse import urlencode

from hub.contract import AuthorizationError, ConfigurationError, Connection, ContractError, Token
from hub_tiktok.check import FEATURE_SCOPES, NEEDED_SCOPES
from hub_tiktok.client import Client
from hub_tiktok.endpoints import TOKEN_GET, TOKEN_REFRESH
from hub_tiktok.payload import Json, instant, text, texts
from hub_tiktok.settings import TikTokSettings

MASTER = (
    "Only the shop's main (owner) account can consent, and a sub account is the usual cause: "
    "it does not see the page, or gives a consent without the shop's rights"
)  # T-08: TikTok tells no main from sub account
CONSENT_NOTE = (  # T-04 T-08
    f"{MASTER}. So sign in to Seller Center with the main account first, and consent as a seller. The address that the "
    "page leads back to is fixed in Partner Center, as the app's redirect URL."
)


def consent_url(settings: TikTokSettings, state: str, connection_id: str) -> str:
    """Return the page of consent; it takes the app's service id and our state, and nothing else (T-04).

    Raises:
        ConfigurationError: the service id is not set.
    """
    if not settings.service_id:
        raise ConfigurationError(
            "service-id-missing",
            "the page of consent needs the app's service id",
            where=f"{connection_id}, setting service_id",
            do="Set service_id to the app's service id in Partner Center (it is not the app key)",
        )
    return f"{settings.consent_page}?{urlencode({'service_id': settings.service_id, 'state': state})}"


def exchanged(client: Client, code: str, connection: Connection[TikTokSettings]) -> Token:
    """Return the first pair for the code of a consent: one call, never repeated (T-07, T-09).

    Missing scopes are logged and not refused: the code is used up by now, and check_connection names them.

    Raises:
        AuthorizationError: the consent was refused, is used up, or was not a seller's.
    """
    where = f"{connection.id}, {TOKEN_GET.method} {TOKEN_GET.path}"
    if code.strip() in ("", "null"):  # T-06: the word stands where the code would
        raise AuthorizationError(
            "consent-refused", "the consent was refused or not given", where=where, do=f"{MASTER}. {client.reconsent}"
        )
    try:
        data = client.exchange(code.strip())
    except AuthorizationError as error:
        error.do = f"A code works once, within 30 minutes. {client.reconsent}"
        raise
    _refuse_others(data, where, client.reconsent)
    token = _pair(data, where)
    missing = [scope for scope in (*NEEDED_SCOPES, *FEATURE_SCOPES) if token.scopes and scope not in token.scopes]
    if missing:
        connection.log.warning("scopes-missing", missing=missing)
    return token


def refreshed(client: Client, token: Token, connection_id: str) -> Token:
    """Return the new pair for a stored one; both of its values are new (T-12).

    Raises:
        AuthorizationError: the consent is gone, or was not a seller's.
        TransientError: no whole answer came; the old refresh token may be dead by now (T-13).
    """
    where = f"{connection_id}, {TOKEN_REFRESH.method} {TOKEN_REFRESH.path}"
    data = client.refresh(token.refresh_token)
    _refuse_others(data, where, client.reconsent)
    return _pair(data, where)


def _refuse_others(data: Json, where: str, reconsent: str) -> None:
    kind = text(data, "user_type")
    if kind not in ("", "0"):  # T-11: 0 is a seller; a zero may be left out (T-43)
        raise AuthorizationError(
            "wrong-user-type",
            f"the consent was given as user type {kind}, which is not a seller",
            where=where,
            do=f"{MASTER}. {reconsent}",
        )


def _pair(data: Json, where: str) -> Token:
    access, refresh = text(data, "access_token"), text(data, "refresh_token")
    expires = instant(data, "access_token_expire_in")  # T-10: a point in time, whatever its name says
    if not access or not refresh or expires is None:
        missing = [name for name in ("access_token", "refresh_token", "access_token_expire_in") if not text(data, name)]
        raise ContractError(
            "token-answer-unreadable",
            f"the token host's answer lacks {', '.join(missing) or 'a readable expiry'}",
            where=where,
            do="Report this to the connector's authors",
        )
    return Token(
        access_token=access,
        refresh_token=refresh,
        access_expires_at=expires,
        refresh_expires_at=instant(data, "refresh_token_expire_in"),
        scopes=texts(data, "granted_scopes"),
    )
