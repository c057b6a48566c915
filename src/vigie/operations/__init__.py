"""Operations: the vehicles and radios of those who are on duty."""
