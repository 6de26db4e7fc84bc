"""The exchange of a refresh token for a new pair."""

from __future__ import annotations

from hub.contract import AuthorizationError, ContractError, Token
from hub_tiktok.client import TOKEN_REFRESH, Client
from hub_tiktok.payload import Json, instant, text, texts


def refreshed(client: Client, token: Token, connection_id: str) -> Token:
    """Return the new pair for a stored one; both of its values are new (T-12).

    Raises:
        AuthorizationError: the consent is gone, or was not a seller's.
        TransientError: no whole answer came; the old refresh token may be dead by now (T-13).
    """
    where = f"{connection_id}, {TOKEN_REFRESH.method} {TOKEN_REFRESH.path}"
    data = client.refresh(token.refresh_token)
    if text(data, "user_type") not in ("", "0"):  # T-11: 0 is a seller; a zero may be left out (T-43)
        raise AuthorizationError(
            "consent-not-by-seller",
            f"the consent was given as user type {text(data, 'user_type')}, which is not a seller",
            where=where,
            do=client.reconsent,
        )
    return _pair(data, where)


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
